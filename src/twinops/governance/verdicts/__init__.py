"""Verdicts told, compared, and known before a commit."""
