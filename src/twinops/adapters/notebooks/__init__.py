"""Notebooks run by Papermill: the same bytes each time, and no personal data in them."""
