"""The impact assessment answered, signed, and carried to other tools."""
