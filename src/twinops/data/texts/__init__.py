"""Language, topics and mood of texts, counted and never kept."""
