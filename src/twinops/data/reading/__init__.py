"""How files from outside are read: bounded, checked, and taken or quarantined row by row."""
