"""Heads on the state, their ranges, and the files they are kept in."""
