"""The siege: attacks on a registry's door as plain functions, run against any server by its address.

`make siege` runs all of them and prints one table; `tests/server/test_bypass.py` runs the small ones in CI.
"""
