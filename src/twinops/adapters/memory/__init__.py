"""Every port in memory, for tests and for trying things out."""
