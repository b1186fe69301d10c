"""Take in what is new, keep every twin's state up to date, look whether what was expected came, and say so."""
