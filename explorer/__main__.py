"""`python -m explorer …`: describe, train, evaluate, runs, sweep, zoo, doctor."""

from explorer.cli.main import main

if __name__ == "__main__":
    main()
