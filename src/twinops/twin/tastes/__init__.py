"""Categories, coupons and social interaction: what a consumer may like next."""
