"""Sources of your own: files and query results nobody prepared for us, read within bounds and mapped to our schema."""
