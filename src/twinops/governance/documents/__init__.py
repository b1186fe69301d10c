"""One file per document: `NAME`, `FILES` and `build(evidence, decision)`. A document adds no judgement."""
