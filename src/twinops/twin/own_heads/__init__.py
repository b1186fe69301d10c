"""Heads of one's own: each a file of the project that makes a scikit-learn estimator (`ideas.py`, docs/ideas.md)."""
