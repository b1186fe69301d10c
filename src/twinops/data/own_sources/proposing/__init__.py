"""Look at a stranger's files and propose how they are read; ask what no file tells."""
