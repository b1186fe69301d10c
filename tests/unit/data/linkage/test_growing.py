"""Records come in three batches, in whatever order: the same persons in the end, ids that stay, scored by the truth."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from linkable import opened

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.memory.persons import MemoryPersons
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.linkage.intake import HOME, LONE, raw_records
from twinops.data.linkage.linking import LinkageSettings, linked
from twinops.data.linkage.model import Model
from twinops.data.linkage.normalise import RAW
from twinops.data.linkage.persons import moves
from twinops.data.linkage.registered import Registering, registered
from twinops.data.linkage.splinking import Drawing
from twinops.entities.persons import Cause, Change, record_name
from twinops.evaluation.linkage.measures import Counted

SETTINGS = LinkageSettings(Drawing(seed=3, u_pairs=100_000, em_pairs=50_000), lone=LONE)


@pytest.fixture(scope="module")
def engine():
    return DuckDBEngine(threads=1)


@pytest.fixture(scope="module")
def world(engine) -> tuple[pa.Table, dict[str, int], Model]:
    """Records under ids like those of a key store, the true person of each, and a model learned of all."""
    tables, person = opened(500, 7)
    raw, keys = raw_records(tables), MemoryKeys("growing")
    names = [f"{s}/{r}" for s, r in zip(raw["source"].to_pylist(), raw["record"].to_pylist(), strict=True)]
    sids = keys.subject_ids(names)
    true = {sid: person[r] for sid, r in zip(sids, raw["record"].to_pylist(), strict=True)}
    raw = raw.set_column(RAW.index("record"), "record", pa.array(sids, pa.string()))
    return raw, true, linked(engine, raw, SETTINGS).model


def keys_of(raw: pa.Table) -> MemoryKeys:
    keys = MemoryKeys("growing")
    keys._keys = {sid: sid.encode() * 2 for sid in raw["record"].to_pylist()}
    return keys


class Growing:
    """Links what there is by then, and settles it."""

    def __init__(self, engine: DuckDBEngine, world: tuple[pa.Table, dict[str, int], Model]) -> None:
        self.engine, (self.all, self.true, self.model) = engine, world
        self.persons, self.keys = MemoryPersons(), keys_of(world[0])

    def settled(self, raw: pa.Table) -> tuple[dict[str, str], Counted]:
        settings = LinkageSettings(SETTINGS.drawing, lone=LONE, model=self.model)
        done = linked(self.engine, raw, settings)
        rows = registered(raw, done, Registering(self.persons.known(), self.keys, HOME)).to_pylist()
        person = {record_name(r["source"], r["sid"]): r["person"] for r in rows}
        marks = {record_name(r["source"], r["sid"]): r["fingerprint"] for r in rows}
        made = moves(self.persons.known(), person, marks)
        if made:
            self.persons.settle(made, "", office="dpo", person="D")
        true = np.array([self.true[r] for r in done.records["record"].to_pylist()])
        return person, Counted.of_groups(done.resolved.person, true)


def batches(raw: pa.Table, order: tuple[int, ...]) -> list[pa.Table]:
    """What is there after each batch: the first part of the order, the first two, all."""
    part = pa.array([int(r[:2], 16) % 3 for r in raw["record"].to_pylist()])
    return [raw.filter(pc.is_in(part, pa.array(order[: n + 1]))) for n in range(3)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_three_batches_in_any_order_make_the_same_persons_and_ids_change_only_with_a_reason(engine, world, order):
    growing, seen, scores = Growing(engine, world), [], []
    for there in batches(world[0], order):
        person, score = growing.settled(there)
        seen.append(person)
        scores.append((score.right.sum() / max(score.said, 1), score.right.sum() / score.all.sum()))
    for precision, recall in scores:
        assert precision > 0.98
        assert recall > 0.7
    told = [{m.record: m for m in made} for _, made in growing.persons.history()]
    for (before, after), why in zip(pairwise(seen), told[1:], strict=True):
        moved = {r for r in before if after.get(r) != before[r]}
        assert len(moved) < len(before) / 5
        assert moved <= why.keys()
        assert {why[r].change for r in moved} <= {Change.JOINED, Change.MERGED, Change.SPLIT}
        # frequencies of names follow from all records, and move a few pairs that stand at the threshold
        by_weights = {r for r in moved if why[r].cause is Cause.WEIGHTS}
        assert {why[r].cause for r in moved - by_weights} <= {Cause.NEW}
        assert len(by_weights) < len(before) / 50
    once = Growing(engine, world)
    whole, _ = once.settled(world[0])
    assert {frozenset(g) for g in grouped(seen[-1])} == {frozenset(g) for g in grouped(whole)}


def grouped(person: dict[str, str]) -> list[set[str]]:
    found: dict[str, set[str]] = {}
    for record, one in person.items():
        found.setdefault(one, set()).add(record)
    return list(found.values())


def test_a_person_is_the_same_over_five_runs(engine, world):
    growing = Growing(engine, world)
    first, _ = growing.settled(world[0])
    shuffled = world[0].take(np.random.default_rng(3).permutation(world[0].num_rows))
    for raw in (world[0], shuffled) * 2:
        assert growing.settled(raw)[0] == first
    assert len(growing.persons.settlements) == 1


def test_a_thousand_records_with_one_e_mail_are_not_one_person(engine, world):
    raw, _, model = world
    flood = [
        {**dict.fromkeys(RAW), "source": "crm", "record": f"{i:032x}", "email": "info@shop.example",
         "given": ("Anna", "Kai", "Olga", "Ben")[i % 4], "surname": f"Flood{i % 250}"}
        for i in range(1000)
    ]  # fmt: skip
    mixed = pa.concat_tables([raw, pa.Table.from_pylist(flood, schema=raw.schema)])
    done = linked(engine, mixed, LinkageSettings(SETTINGS.drawing, lone=LONE, model=model))
    assert np.bincount(done.resolved.person).max() <= SETTINGS.rules.most_records


def test_what_one_person_would_have_too_many_of_is_taken_apart_with_an_alarm(engine, world):
    raw, _, model = world
    same = [
        {**dict.fromkeys(RAW), "source": "crm", "record": f"{i:032x}", "email": "jo.flood@shop.example",
         "given": "Johanna", "surname": "Floodgate", "phone": "+999 12 345 67 89", "born": "1980-05-17"}
        for i in range(60)
    ]  # fmt: skip
    mixed = pa.concat_tables([raw, pa.Table.from_pylist(same, schema=raw.schema)])
    done = linked(engine, mixed, LinkageSettings(SETTINGS.drawing, lone=LONE, model=model))
    assert done.resolved.alarms >= 1
    assert np.bincount(done.resolved.person).max() <= SETTINGS.rules.most_records
