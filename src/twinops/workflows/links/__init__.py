"""What people see and decide of records that may be one person's."""
