"""A home of its own for every test, and real records made once."""

from kept_runs import home, make_run, records, store
from postgres_server import postgres

__all__ = ["home", "make_run", "postgres", "records", "store"]
