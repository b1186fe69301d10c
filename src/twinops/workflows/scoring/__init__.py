"""Answers for many twins at once."""
