"""The Nets page: how a net is opened, what its file leaves open, and what it is made of."""
