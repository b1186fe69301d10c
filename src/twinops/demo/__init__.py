"""Seeded generators of what no public data set holds. Everything in here is synthetic and says so."""
