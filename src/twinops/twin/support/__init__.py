"""Where the data can answer a question, and where they cannot."""
