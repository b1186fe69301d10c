"""The policy, and the one function that decides."""
