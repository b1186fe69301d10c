"""From which source columns a derived column is made, read off the SQL files by sqlglot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import sqlglot
from sqlglot import exp
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from twinops.errors import DataError

ROWS = "*"
"""`transactions.*`: how many rows there are, whatever stands in them."""


@dataclass(frozen=True)
class SqlLineage:
    """The chain: `steps` are tables made by a query, `given` those made in Python with what each column is made from
    (`table.column`, or nothing), `sources` the sealed columns where the walk ends.
    """

    steps: Mapping[str, str]
    given: Mapping[str, Mapping[str, Sequence[str]]]
    sources: Mapping[str, Sequence[str]]
    _found: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of a table of the chain, in order.

        Raises:
            DataError: the chain has no such table.
        """
        if table in self.steps:
            return _names(self._scopes[table])
        held = self.given.get(table, self.sources.get(table))  # a derived table hides a source of its name
        if held is None:
            raise DataError(f"No table of the chain is called {table}.", hint=f"There are {', '.join(self.tables)}.")
        return tuple(held)

    @property
    def tables(self) -> tuple[str, ...]:
        """Every derived table, sorted."""
        return tuple(sorted({*self.steps, *self.given}))

    def of(self, column: str) -> frozenset[str]:
        """The source columns whose values a column (`panel.cents_h1`) is made from; who is in at all: see `rows_from`.

        Raises:
            DataError: there is no such table or column.
        """
        if column not in self._found:
            table, _, name = column.partition(".")
            if name != ROWS and name not in self.columns(table):
                raise DataError(f"{table} has no column {name}.", hint=f"It has {', '.join(self.columns(table))}.")
            self._found[column] = frozenset(self._walked(table, name))
        return self._found[column]

    def columns_from(self, source: str) -> frozenset[str]:
        """Every derived column (`table.column`) in whose values a source has a part."""
        return frozenset(
            f"{table}.{name}"
            for table in self.tables
            for name in self.columns(table)
            if any(origin.partition(".")[0] == source for origin in self.of(f"{table}.{name}"))
        )

    def rows_from(self, table: str) -> frozenset[str]:
        """The sources that decide which rows a table has: everything it joins, filters or counts, all the way down."""
        if self._is_source(table):
            return frozenset({table})
        return frozenset(source for below in self._below(table) for source in self.rows_from(below))

    def _is_source(self, table: str) -> bool:
        return table in self.sources and table not in self.steps and table not in self.given

    def _below(self, table: str) -> set[str]:
        if table in self.steps:
            return {t.name for t in self._scopes[table].expression.find_all(exp.Table)} & self._known
        return {origin.partition(".")[0] for made in self.given[table].values() for origin in made}

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset({*self.steps, *self.given, *self.sources})

    @cached_property
    def _scopes(self) -> Mapping[str, Scope]:
        """Each query with its names resolved; a table comes after those it reads."""
        shape = {t: dict.fromkeys(cs, "unknown") for t, cs in {**self.sources, **self.given}.items()}
        done: dict[str, Scope] = {}
        waiting = {t: sqlglot.parse_one(sql, read="duckdb") for t, sql in self.steps.items()}
        while waiting:
            ready = [t for t, tree in waiting.items() if not _reads(tree) & (waiting.keys() - {t})]
            if not ready:
                raise DataError(
                    f"These queries read each other: {', '.join(sorted(waiting))}.", hint="Break the circle."
                )
            for table in ready:
                done[table] = _scope(table, waiting.pop(table), shape)
                shape[table] = dict.fromkeys(_names(done[table]), "unknown")
        return done

    @cached_property
    def _direct(self) -> Mapping[str, Mapping[str, set[str]]]:
        """Table -> column -> what its own query makes it from."""
        options = {"trim_selects": False, "dialect": "duckdb", "copy": False}
        return {
            table: {name: {o for node in root.walk() for o in _origins(node)} for name, root in roots.items()}
            for table, scope in self._scopes.items()
            for roots in (lineage(None, scope.expression, {}, scope=scope, **options),)
        }

    def _walked(self, table: str, name: str) -> Iterator[str]:
        if self._is_source(table):
            yield f"{table}.{name}"
        elif name == ROWS:
            yield from (f"{source}.{ROWS}" for source in self.rows_from(table))
        elif table in self.given:
            for origin in self.given[table][name]:
                yield from self.of(origin)
        else:
            for origin in self._direct[table][name]:
                yield from self.of(origin)


def _names(scope: Scope) -> tuple[str, ...]:
    """The columns of a query's result."""
    return (
        tuple(select.alias_or_name for select in scope.expression.selects)
        if isinstance(scope.expression, exp.Query)
        else ()
    )


def _reads(tree: exp.Expr) -> set[str]:
    return {t.name for t in tree.find_all(exp.Table)} - {c.alias for c in tree.find_all(exp.CTE)}


def _scope(table: str, tree: exp.Expr, shape: Mapping[str, Mapping[str, str]]) -> Scope:
    needed: dict[str, object] = {t: dict(shape[t]) for t in _reads(tree) if t in shape}
    missing = sorted(_reads(tree) - needed.keys())
    if missing:
        raise DataError(f"{table} reads {', '.join(missing)}, which the chain does not know.", hint="Declare it there.")
    scope = build_scope(qualify(tree, dialect="duckdb", schema=needed, quote_identifiers=False))
    if scope is None:
        raise DataError(f"{table} is no query.", hint="A file of the chain is one SELECT.")
    return scope


def _origins(node: Node) -> Iterator[str]:
    """What a node stands on directly: a table's column, the rows it counts, or those it asks whether there are any."""
    if isinstance(node.expression, exp.Table):
        column = node.name.rpartition(".")[2]
        if column and column != ROWS:
            yield f"{node.expression.name}.{column}"
    elif isinstance(node.source, exp.Query):
        yield from (f"{name}.{ROWS}" for name in _counted(node) | _asked_for(node))


def _counted(node: Node) -> set[str]:
    """The tables whose rows are counted: COUNT(*)."""
    if not any(isinstance(c.this, exp.Star) for c in node.expression.find_all(exp.Count)):
        return set()
    return _through_ctes(node, {t.name for t in _from(node.source)})


def _asked_for(node: Node) -> set[str]:
    """The tables of which it is asked whether a row is there: `k.sid IS NOT NULL` after a LEFT JOIN."""
    aliases = {c.table for test in node.expression.find_all(exp.Is) for c in test.find_all(exp.Column)}
    return _through_ctes(node, {t.name for t in _from(node.source) if t.alias_or_name in aliases})


def _through_ctes(node: Node, names: set[str]) -> set[str]:
    ctes = {c.alias: c.this for c in node.source.root().find_all(exp.CTE)}
    seen: set[str] = set()
    while inner := {n for n in names if n in ctes and n not in seen}:
        seen |= inner
        names = names | {t.name for n in inner for t in _from(ctes[n])}
    return names - ctes.keys()


def _from(select: exp.Expr) -> Iterator[exp.Table]:
    """The tables of a query without those of the CTEs defined inside it."""
    for table in select.find_all(exp.Table):
        if table.find_ancestor(exp.CTE) is None or table.find_ancestor(exp.CTE) is select.find_ancestor(exp.CTE):
            yield table
