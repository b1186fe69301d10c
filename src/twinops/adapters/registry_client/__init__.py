"""A governed registry asked over HTTP: evidence handed in, models loaded, the log fetched."""
