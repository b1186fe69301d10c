"""Door 2: stock MLflow whose registry asks `decide` and a named officer before a protected alias moves."""
