"""Files and databases as cells: how they are packed, encoded and cut."""
