"""A withdrawn consent, an objection and a birthday change the very next tables, and the counts that are published."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from shoppers import GRID, everyone_agrees, ledger_of, lines, sealed_project
from supplying import DAYS, supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.consent import ages
from twinops.data.vault.seal import read_sealed, write_sealed
from twinops.entities.consent import Purpose
from twinops.entities.findings import Findings
from twinops.params import AgesParams
from twinops.twin.state.examples import open_examples
from twinops.workflows.pipeline.features import features

SHOPPERS = [f"{n:032x}" for n in range(60)]
BASKETS = lines(*((sid, 5 + n % 40 + 28 * turn, 500 + n) for n, sid in enumerate(SHOPPERS) for turn in range(5)))
FEW = SHOPPERS[:12]
AS_OF = date(2017, 7, 20)
LAST = GRID.cutoffs[-1]
ADULT = DAYS.number(date(1980, 5, 5))


@pytest.fixture(autouse=True)
def unpictured(monkeypatch):
    monkeypatch.setattr("twinops.workflows.pipeline.features.save", lambda figure, path, words: None)


def built(folder, *, ledger=None, births=None, rule=None):
    """Sids (natural id -> sid), trained on, scored on the last day, left out by reason."""
    keys = MemoryKeys()
    places = sealed_project(folder, keys, BASKETS, everyone_agrees(SHOPPERS) if ledger is None else ledger)
    if births is not None:
        table = pa.table({"who": pa.array(list(births)), "birth_day": pa.array(list(births.values()), pa.int64())})
        write_sealed(table, places.births, dataset="births", keys=keys, subject="who")
    engine = DuckDBEngine(threads=1)
    supplied(
        features,
        places,
        engine=engine,
        keys=keys,
        grid=GRID,
        as_of=AS_OF,
        rule=rule or AgesParams(),
    )
    open_examples(engine, keys, panel=places.panel, labels=places.labels)
    panel = read_sealed(places.panel, dataset="panel", keys=keys).to_pylist()
    names = dict(zip(keys.subject_ids(SHOPPERS), SHOPPERS, strict=True))
    facts = {f.name: f.value for f in Findings.from_json(places.measures("population").read_text("utf-8")).facts}
    trained = {names[r["sid"]] for r in panel}
    scored = {names[r["sid"]] for r in panel if r["cutoff"] == LAST and r["may_score"]}
    return trained, scored, facts["excluded"]


def with_events(*events):
    agreed = [(s, p, "granted", -30) for s in SHOPPERS for p in Purpose]
    return ledger_of(*agreed, *events)


def test_everybody_is_in_before_anything_happens(tmp_path):
    trained, scored, excluded = built(tmp_path)
    assert trained == scored == set(SHOPPERS)
    assert excluded == {}


@pytest.mark.parametrize(
    ("event", "reason"), [("withdrawn", "consent_withdrawn"), ("objected", "objected"), ("refused", "consent_refused")]
)
def test_a_withdrawal_or_objection_changes_the_next_training_and_scoring_tables_and_the_counts(tmp_path, event, reason):
    told = with_events(*((s, p, event, 190) for s in FEW for p in Purpose))
    trained, scored, excluded = built(tmp_path, ledger=told)
    assert trained == scored == set(SHOPPERS) - set(FEW)
    assert excluded == {reason: len(FEW)}


def test_an_objection_to_scoring_alone_leaves_training_as_it_was(tmp_path):
    told = with_events(*((s, Purpose.SCORING, "objected", LAST) for s in FEW))
    trained, scored, excluded = built(tmp_path, ledger=told)
    assert trained == set(SHOPPERS)
    assert scored == set(SHOPPERS) - set(FEW)
    assert excluded == {}


def test_a_birthday_under_eighteen_changes_the_next_training_and_scoring_tables_and_the_counts(tmp_path):
    born = DAYS.number(date(1999, 7, 21))  # eighteen on the day after the as-of date
    trained, scored, excluded = built(tmp_path, births=dict.fromkeys(FEW, born))
    assert trained == scored == set(SHOPPERS) - set(FEW)
    assert excluded == {"under_age": len(FEW)}


def test_who_is_eighteen_today_is_in_and_nothing_from_before_is_learned(tmp_path):
    born = DAYS.number(date(1999, 4, 15))  # eighteen on day 104: as-of days 57 and 85 are before
    trained, _, excluded = built(tmp_path, births={SHOPPERS[0]: born})
    assert SHOPPERS[0] in trained
    assert excluded == {}
    kept = ages.since_full_age(
        BASKETS, pa.table({"sid": [SHOPPERS[0]], "birth_day": [born]}), ages.FullAge(AgesParams(), DAYS)
    )
    days = [r["day"] for r in kept.to_pylist() if r["sid"] == SHOPPERS[0]]
    assert days == [117]
    assert kept.num_rows == BASKETS.num_rows - 4


def test_of_two_birthdays_the_later_counts():
    engine = DuckDBEngine(threads=1)
    births = pa.table(
        {"sid": ["a", "a", "b"], "birth_day": pa.array([ADULT, DAYS.number(date(2005, 1, 1)), None], pa.int64())}
    )
    answers = pa.table({
        "sid": ["a", "b"], "day": pa.array([0, 0], pa.int64()), "purpose": ["offers", "offers"],
        "allowed": [True, True], "reason": pa.array([None, None], pa.string()),
    })  # fmt: skip
    read = ages.of_age(engine, answers, births, ages.FullAge(AgesParams(), DAYS)).to_pylist()
    assert [(r["sid"], r["allowed"], r["reason"]) for r in read] == [("a", False, "under_age"), ("b", True, None)]
    strict = ages.of_age(engine, answers, births, ages.FullAge(AgesParams(unknown="refused"), DAYS)).to_pylist()
    assert [r["reason"] for r in strict] == ["under_age", "age_unknown"]


def test_where_the_rule_refuses_unknown_ages_only_known_adults_are_in(tmp_path):
    trained, _, excluded = built(tmp_path, births=dict.fromkeys(FEW, ADULT), rule=AgesParams(unknown="refused"))
    assert trained == set(FEW)
    assert excluded == {"age_unknown": len(SHOPPERS) - len(FEW)}
