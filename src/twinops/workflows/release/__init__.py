"""Tables that may leave."""
