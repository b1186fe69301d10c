"""How well the mood of a text is told."""
