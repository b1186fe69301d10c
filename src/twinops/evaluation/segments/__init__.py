"""What groups of consumers do, small cells suppressed."""
