"""Live training: what is ordered, steered and watched."""
