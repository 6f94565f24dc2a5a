"""A sweep on a cluster in a process of its own, so that a test can kill it."""

from explorer.cluster.sweep import sweep_on


def sweep(address, configs, work):
    """Wait for all runs, as the shell's command does."""
    for _line in sweep_on(address, configs, work):
        pass
