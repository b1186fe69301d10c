"""Features of one's own: each a file of the project, one number per subject as of a day (`ideas.py`, docs/ideas.md)."""
