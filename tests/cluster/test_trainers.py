"""Who trains what a page has queued, where a cluster is asked for; and what Runs says of it."""

import pytest
import streamlit as st
from kept_runs import make_run
from streamlit.testing.v1 import AppTest

from explorer.cluster import trainers
from explorer.cluster.settings import ClusterError
from explorer.cluster.state import write_state
from explorer.cluster.training import take_for_task
from explorer.runs.store import Store
from explorer.system.paths import ROOT
from explorer.system.processes import this_process

__all__ = ["make_run"]
HOME = str(ROOT / "explorer" / "app.py")


def test_a_cluster_that_is_at_work_is_left_alone_and_a_lost_one_is_told(store):
    tender = trainers.Tender("127.0.0.1:1")
    with pytest.raises(ClusterError, match="does not answer"):
        tender.tend()
    write_state(store, "127.0.0.1:1", [], "")
    tender.problem = "of before"
    tender.tend()
    assert tender.problem == ""


def test_a_wrong_setting_is_told_where_runs_wait(monkeypatch):
    monkeypatch.setenv("EXPLORER_CLUSTER", "somewhere")
    assert "'somewhere' is not the address of a Ray cluster" in trainers.ready()


def test_runs_shows_the_cluster_and_what_each_node_trains(home, make_run, monkeypatch):
    monkeypatch.setenv("EXPLORER_CLUSTER", "127.0.0.1:1")
    monkeypatch.setattr(trainers, "_tender", trainers.Tender)  # begins nothing
    st.cache_resource.clear()
    st.cache_data.clear()
    store = Store()
    for name in ("a", "b"):
        store.add_run(make_run(name, status="queued"))
    nodes = [{"node": f"node-{n}", "host": "box", "cpus": 2.0, "gpus": 0.0, "alive": True} for n in (1, 2)]
    write_state(store, "127.0.0.1:1", nodes, "")
    take_for_task(store, this_process(), "a", "task", "node-2")
    store.close()

    page = AppTest.from_file(HOME, default_timeout=300).switch_page("../pages/runs.py").run()

    assert not page.exception
    assert [one.label for one in page.expander if "Cluster" in one.label] == ["Cluster at 127.0.0.1:1"]
    said = " ".join(element.value for element in page.markdown)
    assert "Nodes: 2, with 4 cores and 0 GPUs. In training: 1; waiting: 1." in said
    shown = next(table.value for table in page.dataframe if "host" in table.value)
    assert [list(runs) for runs in shown["runs"]] == [[], ["a"]]
    st.cache_resource.clear()
    st.cache_data.clear()
