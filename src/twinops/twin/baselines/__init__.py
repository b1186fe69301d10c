"""Plain rivals a twin must beat."""
