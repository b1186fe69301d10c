"""Sources checked, mapped and fingerprinted."""
