"""SQL engines behind one port, and what a query says of where a column comes from."""
