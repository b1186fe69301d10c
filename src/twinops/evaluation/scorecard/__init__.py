"""The twin on every as-of day: ranges, newcomers, and what goes stale."""
