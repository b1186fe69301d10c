"""The key store as its keeper has it: how it stands, rotated, copied, restored."""
