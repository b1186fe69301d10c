"""What we believe: features, the state, its priors and heads. Table work is SQL beside its module."""
