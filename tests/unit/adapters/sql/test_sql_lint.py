"""Our SQL files say nothing that DuckDB and Spark answer differently, or that is not the same twice."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest
import sql_lint
from sql_lint import lint, lint_files

import twinops
from twinops import plugins

PACKAGE = Path(twinops.__file__).parent


def fractions() -> set[str]:
    """Source columns that hold fractions."""
    shelves = [plugins.load("twinops.data.sources", name) for name in plugins.names("twinops.data.sources")]
    return {c.name for s in shelves for c in s.SCHEMA.columns if c.kind == "number"}


def test_what_the_linter_says_of_itself_is_so():
    assert doctest.testmod(sql_lint).failed == 0


def test_no_shipped_query_uses_what_the_engines_answer_differently():
    found = lint_files(PACKAGE.rglob("*.sql"), root=PACKAGE, floats=fractions())
    assert [str(f) for f in found] == []


@pytest.mark.parametrize(
    ("sql", "construct"),
    [
        ("SELECT datediff('day', a, b) AS d FROM t ORDER BY d", "datediff of timestamps"),
        ("SELECT datesub('day', a, b) AS d FROM t ORDER BY d", "datediff of timestamps"),
        ("SELECT CAST(a / 2 AS INTEGER) AS d FROM t ORDER BY d", "float to whole number"),
        ("SELECT CAST(y AS BIGINT) AS z FROM (SELECT a * 1.5 AS y FROM t) ORDER BY z", "float to whole number"),
        ("SELECT CAST(dollars AS BIGINT) AS z FROM t ORDER BY z", "float to whole number"),
        ("SELECT hash(a) AS h FROM t ORDER BY h", "hash()"),
        ("SELECT random() AS r FROM t ORDER BY r", "random()"),
        ("SELECT SUM(dollars) AS s FROM t", "SUM of floats"),
        ("WITH w AS (SELECT dollars * 2 AS twice FROM t) SELECT SUM(twice) AS s FROM w", "SUM of floats"),
        ("SELECT AVG(a) AS m FROM t", "average or deviation"),
        ("SELECT STDDEV(a) AS m FROM t", "average or deviation"),
        ("SELECT MEDIAN(a) AS m FROM t", "median or quantile"),
        ("SELECT SUM(a) AS s FROM t", "SUM without a cast"),
        ("SELECT SUM(a) OVER (ORDER BY b) AS s FROM t ORDER BY b", "SUM without a cast"),
        ("SELECT t.a FROM t ASOF JOIN u ON t.a = u.a AND t.b >= u.b ORDER BY t.a", "ASOF JOIN"),
        ("PIVOT t ON a USING COUNT(*)", "PIVOT or UNPIVOT"),
        ("SELECT first(a) AS f FROM t", "first, last or any value"),
        ("SELECT any_value(a) AS f FROM t", "first, last or any value"),
        ("SELECT a FROM t", "no final ORDER BY"),
        ("SELECT a FROM t UNION ALL SELECT a FROM u", "no final ORDER BY"),
        ("SELECT a, ROW_NUMBER() OVER (PARTITION BY a) AS n FROM t ORDER BY a", "window without ORDER BY"),
        ("SELECT a FROM (SELECT a FROM t LIMIT 3) ORDER BY a", "LIMIT without ORDER BY"),
        ("SELECT a / b AS q FROM t ORDER BY q", "division by what may be zero"),
        ("SELECT REGEXP_REPLACE(a, '[0-9]', '') AS r FROM t ORDER BY r", "REGEXP_REPLACE of a loose pattern"),
        ("SELECT datesubtract(a) AS r FROM t ORDER BY r", "a function Spark does not have"),
        ("SELECT a FROM t ORDER BY a; SELECT a FROM u", "several queries in one file"),
    ],
)
def test_each_banned_construct_is_found_with_why_and_what_instead(sql, construct):
    found = [f for f in lint(sql, file="x.sql", floats=["dollars"]) if f.construct == construct]
    assert len(found) == 1
    assert found[0].file == "x.sql"
    assert found[0].why
    assert found[0].instead


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CAST(SUM(a) AS BIGINT) AS s, COUNT(*) AS n FROM t",
        "SELECT CAST(COALESCE(SUM(CASE WHEN a > 0.5 THEN 1 ELSE 0 END), 0) AS BIGINT) AS s FROM t",
        "SELECT a, CASE WHEN b = 0 THEN 0.0 ELSE CAST(a AS DOUBLE) / b END AS q FROM t ORDER BY a",
        "SELECT a / NULLIF(b, 0) AS q, REGEXP_REPLACE(c, '[0-9]+$', '') AS r FROM t ORDER BY a",
        "SELECT a, ROW_NUMBER() OVER (PARTITION BY a ORDER BY b, c) AS n FROM t ORDER BY a, n",
    ],
)
def test_what_is_portable_is_let_through(sql):
    assert lint(sql) == ()
