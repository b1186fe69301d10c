"""One file per gate: `RULE`, `QUESTION`, `Limits`, `needs` and `check`. A gate reads Evidence and nothing else."""
