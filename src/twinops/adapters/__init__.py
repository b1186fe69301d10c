"""Where it lives: each outside thing behind its port, each heavy library in its one home."""
