"""WHAT WE MEASURED: one file per measurement; each number with its interval, how many, and how."""
