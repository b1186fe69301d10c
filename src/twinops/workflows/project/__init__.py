"""Begin a project of one's own, and renew what twinops put into it."""
