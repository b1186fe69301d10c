"""Door 3: the guarded service that a shop's systems ask. FastAPI and uvicorn live here and nowhere else."""
