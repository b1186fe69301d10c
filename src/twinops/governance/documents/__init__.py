"""One file per document: `FILES` and `build(evidence, decision)`. A document adds no judgement."""
