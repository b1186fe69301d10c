"""One consumer's twin, or a segment, asked for a purpose."""
