"""Who allows what, as of a day; who is of age; and what is never read."""
