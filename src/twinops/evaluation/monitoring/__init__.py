"""Whether what was expected came: forecasts that were sealed before, and the outcomes they were about."""
