"""One file per source: its legal facts, its schema, its reader and the columns it is sealed as.

A source module promises `LEGAL`, `SCHEMA`, `DAY`, `read(engine, asked)` and `sealed(rows)`; conformance tests greet it.
"""
