"""Who holds which office, and whose signature counts."""
