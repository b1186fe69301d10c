"""Tables that may leave: banded by a public code-book, then generalised, or made anew under differential privacy."""
