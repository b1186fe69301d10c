"""MLflow: the ledger of runs, the registry, and the twin as a model flavour."""
