"""What each kind of source of your own holds: its columns, and how it is sealed. Found by name."""
