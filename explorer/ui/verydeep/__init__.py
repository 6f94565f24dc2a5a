"""The Very deep page: a thousand layers, what passes through them and what they cost."""
