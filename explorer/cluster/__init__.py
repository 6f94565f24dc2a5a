"""Clusters: queued runs as tasks of Ray on several machines, a sweep there, and how the cluster stands."""
