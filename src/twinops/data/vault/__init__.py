"""Sealed tables: one subject's cells open with that subject's key alone."""
