"""What is known of one consumer: whole numbers that events are added to and taken from."""
