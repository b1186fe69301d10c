"""How long data are kept: proposed, decided, signed."""
