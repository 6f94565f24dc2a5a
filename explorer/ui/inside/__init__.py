"""The pages that look inside nets: which net, which picture, and what was found."""
