"""What a panel of other people tells of segments, with the doubt that belongs to it."""
