"""What we do: one verb per file. The only place where the planes meet; no `if` about policy or data."""
