"""Read our SQL files as trees and name what DuckDB and Spark would not answer alike, or not twice alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp

Rule = tuple[str, str, str]
"""Construct, why it is banned, what to write instead."""

_ENGINES = "DuckDB and Spark give different values and no error"
_FLOATS = "a sum of floats depends on the order of the rows, which two threads do not keep"
_INTEGERS = "sum whole numbers n, s1, s2 and write one division at the end"

DATEDIFF: Rule = (
    "datediff of timestamps",
    f"{_ENGINES}: one counts boundaries, one whole units",
    "subtract day numbers",
)
TO_WHOLE: Rule = (
    "float to whole number",
    f"{_ENGINES}: one rounds, one truncates",
    "keep whole numbers, or round in Python",
)
HASH: Rule = ("hash()", f"{_ENGINES}: each has its own", "order by the keys themselves, or hash in Python")
RANDOM: Rule = ("random()", "another answer every time", "draw in Python from a seed")
FLOAT_SUM: Rule = ("SUM of floats", _FLOATS, "sum whole cents or billionths")
MOMENT: Rule = ("average or deviation", _FLOATS, _INTEGERS)
RANK: Rule = (
    "median or quantile",
    "Spark knows it by another name, or interpolates differently",
    "ROW_NUMBER() over a total order",
)
SUM: Rule = ("SUM without a cast", "DuckDB's is HUGEINT, which Parquet keeps as a float", "CAST(SUM(x) AS BIGINT)")
ASOF: Rule = ("ASOF JOIN", "Spark has none, and ties are not decided", "ROW_NUMBER() over a total order")
PIVOT: Rule = (
    "PIVOT or UNPIVOT",
    "its columns depend on the rows, and each engine names them otherwise",
    "CASE WHEN, or UNION ALL",
)
FIRST: Rule = (
    "first, last or any value",
    "which row it is, nobody said; Spark takes no order inside",
    "ROW_NUMBER() over a total order",
)
ORDER: Rule = (
    "no final ORDER BY",
    "rows come in any order, so the file differs from run to run",
    "ORDER BY a key of the result",
)
WINDOW: Rule = ("window without ORDER BY", "the number or neighbour of a row is arbitrary", "order the window totally")
LIMIT: Rule = ("LIMIT without ORDER BY", "which rows stay is arbitrary", "ORDER BY first")
DIVISION: Rule = (
    "division by what may be zero",
    "DuckDB answers infinity or null, Spark stops",
    "CASE WHEN x = 0, or NULLIF(x, 0)",
)
REPLACE: Rule = (
    "REGEXP_REPLACE of a loose pattern",
    f"{_ENGINES}: one replaces the first match, one all",
    "anchor the pattern with ^ or $",
)
SEVERAL: Rule = (
    "several queries in one file",
    "nobody would look at their order, and a lineage reads one",
    "a file for each",
)
FUNCTION: Rule = (
    "a function Spark does not have",
    "the same file would not run there",
    "compute it in Python, or declare the file DuckDB's own",
)

_MOMENTS = (
    exp.Avg,
    exp.Stddev,
    exp.StddevPop,
    exp.StddevSamp,
    exp.Variance,
    exp.VariancePop,
    exp.Corr,
    exp.CovarPop,
    exp.CovarSamp,
)
_RANKS = (exp.Median, exp.Quantile, exp.PercentileCont, exp.PercentileDisc, exp.ApproxQuantile, exp.Mode)
_FIRSTS = (
    exp.First,
    exp.Last,
    exp.FirstValue,
    exp.LastValue,
    exp.AnyValue,
    exp.ArgMax,
    exp.ArgMin,
    exp.ArrayAgg,
    exp.GroupConcat,
)
_DIFFS = (exp.DateDiff, exp.TimestampDiff, exp.DatetimeDiff, exp.TsOrDsDiff)
_PLACES = (exp.RowNumber, exp.Lead, exp.Lag)
_FLOATING = {exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT, exp.DataType.Type.DECIMAL}
_MAKES_FLOATS = (exp.Div, exp.Sqrt, exp.Ln, exp.Log, exp.Exp, exp.Pow, *_MOMENTS)
_ABSENT = {"datesub": DATEDIFF, "date_sub": DATEDIFF, "hash": HASH, "fsum": FLOAT_SUM, "kahan_sum": FLOAT_SUM}


@dataclass(frozen=True)
class Found:
    """One finding: in which file, the construct, why it is banned, and what to write instead."""

    file: str
    construct: str
    why: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}: {self.construct}: {self.why}; instead: {self.instead}"


def lint_files(files: Iterable[Path], *, root: Path, floats: Iterable[str] = ()) -> tuple[Found, ...]:
    """Findings in all files, named as seen from `root`; `floats` are source columns that hold fractions."""
    known = frozenset(floats)
    return tuple(
        f
        for p in sorted(files)
        for f in lint(p.read_text(encoding="utf-8"), file=p.relative_to(root).as_posix(), floats=known)
    )


def lint(sql: str, *, file: str = "query", floats: Iterable[str] = ()) -> tuple[Found, ...]:
    """Findings in one query, each construct once, in order of name.

    >>> [f.construct for f in lint("SELECT AVG(a) AS a FROM t GROUP BY b")]
    ['average or deviation', 'no final ORDER BY']
    """
    tree = sqlglot.parse_one(sql, read="duckdb")
    floating = _floating_names(tree, frozenset(floats))
    rules = {rule for node in tree.walk() for rule in _broken(node, floating)} | set(_unordered(tree))
    return tuple(Found(file, *rule) for rule in sorted(rules))


def _broken(node: exp.Expr, floating: frozenset[str]) -> Iterator[Rule]:
    for breaks, rule in _CHECKS:
        if breaks(node, floating):
            yield rule
    if isinstance(node, exp.Anonymous):
        yield _ABSENT.get(node.name.lower(), FUNCTION)


def _unordered(tree: exp.Expr) -> Iterator[Rule]:
    if isinstance(tree, exp.Query) and not tree.args.get("order") and not _one_row(tree):
        yield ORDER


def _one_row(tree: exp.Expr) -> bool:
    """Aggregates over everything: there is nothing to put in order."""
    if not isinstance(tree, exp.Select) or tree.args.get("group"):
        return False
    return all(
        isinstance(e.unalias(), exp.Subquery) or (e.find(exp.AggFunc) and not e.find(exp.Window))
        for e in tree.expressions
    )


def _floating_names(tree: exp.Expr, floats: frozenset[str]) -> frozenset[str]:
    """Names that stand for fractions somewhere in the query: source columns, and aliases of what is made from them."""
    names = floats
    while True:
        made = {a.alias for a in tree.find_all(exp.Alias) if _floating(a.this, names)}
        if made <= names:
            return names
        names |= made


def _floating(node: exp.Expr, names: frozenset[str]) -> bool:
    if isinstance(node, exp.Cast):
        return node.to.this in _FLOATING
    if isinstance(node, exp.Column):
        return node.name in names
    if isinstance(node, exp.Literal):
        return not node.is_string and "." in node.name
    if isinstance(node, exp.Count | exp.Predicate):
        return False
    if isinstance(node, exp.Case):
        branches = [i.args["true"] for i in node.args["ifs"]] + [node.args.get("default")]
        return any(_floating(b, names) for b in branches if b is not None)
    return isinstance(node, _MAKES_FLOATS) or any(_floating(c, names) for c in node.iter_expressions())


def _to_whole(node: exp.Expr, floating: frozenset[str]) -> bool:
    return isinstance(node, exp.Cast) and node.to.this in exp.DataType.INTEGER_TYPES and _floating(node.this, floating)


def _float_sum(node: exp.Expr, floating: frozenset[str]) -> bool:
    return isinstance(node, exp.Sum) and _floating(node.this, floating)


def _bare_sum(node: exp.Expr, floating: frozenset[str]) -> bool:
    """Every SUM stands in a CAST to BIGINT; only COALESCE and its window may stand between."""
    if not isinstance(node, exp.Sum) or _float_sum(node, floating):
        return False
    above = node.parent
    while isinstance(above, exp.Coalesce | exp.Window | exp.Paren):
        above = above.parent
    return not (isinstance(above, exp.Cast) and above.to.this == exp.DataType.Type.BIGINT)


def _loose_window(node: exp.Expr, _floating: frozenset[str]) -> bool:
    return isinstance(node, exp.Window) and isinstance(node.this, _PLACES) and not node.args.get("order")


def _loose_limit(node: exp.Expr, _floating: frozenset[str]) -> bool:
    return isinstance(node, exp.Query) and bool(node.args.get("limit")) and not node.args.get("order")


def _may_divide_by_zero(node: exp.Expr, _floating: frozenset[str]) -> bool:
    if not isinstance(node, exp.Div | exp.IntDiv | exp.Mod):
        return False
    by = node.expression.unnest()
    safe = isinstance(by, exp.Nullif) or (isinstance(by, exp.Literal) and float(by.name) != 0)
    return not safe and node.find_ancestor(exp.Case) is None


def _loose_pattern(node: exp.Expr, _floating: frozenset[str]) -> bool:
    if not isinstance(node, exp.RegexpReplace) or not node.args.get("single_replace"):
        return False
    pattern = node.expression.name
    return not (pattern.startswith("^") or pattern.endswith("$"))


def _is(kinds: type | tuple[type, ...]) -> Callable[[exp.Expr, frozenset[str]], bool]:
    return lambda node, _floating: isinstance(node, kinds)


_CHECKS: tuple[tuple[Callable[[exp.Expr, frozenset[str]], bool], Rule], ...] = (
    (_is(exp.Block), SEVERAL),
    (_is(_DIFFS), DATEDIFF),
    (_to_whole, TO_WHOLE),
    (_is((exp.Rand, exp.Randn, exp.Uuid)), RANDOM),
    (_float_sum, FLOAT_SUM),
    (_is(_MOMENTS), MOMENT),
    (_is(_RANKS), RANK),
    (_bare_sum, SUM),
    (lambda node, _: isinstance(node, exp.Join) and node.method == "ASOF", ASOF),
    (_is(exp.Pivot), PIVOT),
    (_is(_FIRSTS), FIRST),
    (_loose_window, WINDOW),
    (_loose_limit, LIMIT),
    (_may_divide_by_zero, DIVISION),
    (_loose_pattern, REPLACE),
    (_is(exp.JarowinklerSimilarity), FUNCTION),
)
