"""What we know: sources, their quality, consent, and tables sealed subject by subject."""
