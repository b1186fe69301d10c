"""How well categories, coupons and social interaction are predicted."""
