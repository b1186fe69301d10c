"""MLflow's registry where only what was approved can be production."""
