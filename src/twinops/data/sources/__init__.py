"""One file per source: its legal facts, its schema, its reader and the columns it is sealed as.

A source module promises `LEGAL`, `SCHEMA`, `DAY`, `read(engine, asked)` and `sealed(rows)`; conformance tests greet it.
`WHOLE` says that it comes as one table instead of month by month, and is taken by `collect_profile`.
"""
