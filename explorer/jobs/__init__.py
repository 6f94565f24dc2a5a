"""Jobs: how runs are ordered, queued, trained by workers, steered and watched."""
