"""Law as data, and what is read from it."""
