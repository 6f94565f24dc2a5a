"""The user interface: what pages share."""
