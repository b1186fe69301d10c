"""The final hold-out: opened once a release, and every look written down first."""
