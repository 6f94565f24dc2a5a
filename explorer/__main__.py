"""`python -m explorer …`: the shell; `--help` lists its commands."""

from explorer.cli.main import main

if __name__ == "__main__":
    main()
