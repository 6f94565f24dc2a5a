"""The Paper page: the paper's claims and tables, each with a verdict."""
