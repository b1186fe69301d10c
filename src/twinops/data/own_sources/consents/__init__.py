"""What people answered, as consents and refusals."""
