"""Upkeep: a backup at most once an hour, whole or not at all."""

import os
import time

import pytest

from explorer.runs import maintenance
from explorer.runs.database import backup_path


@pytest.mark.parametrize(("age_s", "again"), [(3500, False), (3700, True)])
def test_a_backup_is_made_at_most_once_an_hour(store, make_run, age_s, again):
    copy = maintenance.back_up(store)
    os.utime(copy, (time.time() - age_s,) * 2)
    before = copy.stat().st_mtime_ns
    store.add_run(make_run())

    assert maintenance.back_up(store) == (copy if again else None)
    assert (copy.stat().st_mtime_ns != before) == again
    assert list(copy.parent.glob("*backup*")) == [backup_path(copy.parent / "runs.sqlite3")]
