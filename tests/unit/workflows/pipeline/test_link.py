"""The link stage: only lawful records take part, a missing source is said, the erased are gone, bytes repeat."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from supplying import DAYS, supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.memory.persons import MemoryPersons
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.linkage.model import Model
from twinops.data.linkage.persons import moves
from twinops.data.sources import crm, registrations, social_accounts
from twinops.data.vault.seal import read_sealed, write_sealed
from twinops.entities.day_count import DayCount
from twinops.entities.persons import Change, PairDecision, record_name
from twinops.params import IdentitiesParams, LinkParams, SourcesParams
from twinops.workflows.intake import pointing
from twinops.workflows.pipeline.collect_identities import collect_identities, write_made_up
from twinops.workflows.pipeline.link import link
from twinops.workflows.places import Places

HOUSEHOLDS = [str(i) for i in range(1, 301)]
RULES = LinkParams(u_pairs=100_000, em_pairs=50_000, draws=50)
SHELVES = {"registrations": registrations, "crm": crm, "social_accounts": social_accounts}


@dataclass(frozen=True)
class Asked:
    folder: Path
    batch: str = "all"
    max_rows: int = 5_000_000
    as_of: date = date(2018, 1, 1)
    days: DayCount = DAYS


def collected(root: Path, *, without: tuple[str, ...] = ()) -> tuple[Places, MemoryKeys]:
    """A project with the three sources sealed, all allowed, and the truth."""
    places, keys, folder = Places(root), MemoryKeys(), root / "files"
    folder.mkdir(parents=True)
    known = write_made_up(folder, HOUSEHOLDS, seed=11)
    truths = []
    for name, shelf in SHELVES.items():
        rows = shelf.read(None, Asked(folder)).rows
        truths.append(known[name])
        if name not in without:
            table = pointing(shelf.sealed(rows), getattr(shelf, "HOUSEHOLDS", ()), keys)
            write_sealed(table, places.raw(name, "all"), dataset=name, keys=keys, subject=shelf.SUBJECT)
    write_sealed(
        pa.concat_tables(truths), places.truth("identities"), dataset="identities", keys=keys,
        subject="record",
    )  # fmt: skip
    allow(places, keys, {sid: True for name in SHELVES if name not in without for sid in sids(places, keys, name)})
    return places, keys


def sids(places: Places, keys: MemoryKeys, source: str) -> list[str]:
    return read_sealed(places.raw(source, "all"), dataset=source, keys=keys)["sid"].to_pylist()


def allow(places: Places, keys: MemoryKeys, answers: dict[str, bool]) -> None:
    table = pa.table({"sid": pa.array(list(answers), pa.string()), "allowed": pa.array(list(answers.values()))})
    write_sealed(table, places.blendable, dataset="blendable", keys=keys, subject="sid")


def opened(places: Places, keys: MemoryKeys, name: str) -> list[dict]:
    path = getattr(places, name)
    return read_sealed(path, dataset=path.stem, keys=keys).to_pylist()


def run(places: Places, keys: MemoryKeys, *, threads: int = 1, persons: MemoryPersons | None = None):
    asked = {"engine": DuckDBEngine(threads=threads), "keys": keys, "persons": persons or MemoryPersons()}
    return supplied(link, places, rules=RULES, **asked)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    places, keys = collected(tmp_path_factory.mktemp("project"))
    return places, keys, run(places, keys)


@pytest.fixture
def learned(project, monkeypatch):
    """What was learned of all records decides again: learning takes most of the time, and is not what is asked."""
    model = Model.from_dict(json.loads(project[0].linkage_model.read_text(encoding="utf-8")))
    monkeypatch.setattr("twinops.data.linkage.linking.trained", lambda *_: model)


def test_records_are_linked_to_households_and_the_answer_is_measured(project):
    places, keys, answer = project
    found = opened(places, keys, "links")
    assert answer.links == len(found) > 300
    assert {r["sid"] for r in found} <= set(sids(places, keys, "registrations"))
    measures = {m.name: m for m in answer.findings.measures}
    assert measures["linkage_precision"].value > 0.98
    assert measures["linkage_wrong_household_rate"].value < 0.02
    assert measures["linkage_f1"].value > measures["linkage_f1.fuzzy"].value
    assert "one person with probability" in str(answer.weakest)
    assert (places.figure("linkage_tie").is_file(), places.figure("linkage_bands").is_file()) == (True, True)


def test_nothing_that_is_published_holds_a_record_s_value_or_id(project):
    places, keys, _ = project
    values = set()
    for name in SHELVES:
        for row in read_sealed(places.raw(name, "all"), dataset=name, keys=keys).to_pylist():
            values |= {str(v) for v in row.values() if isinstance(v, str) and len(v) > 5}
    for path in (places.measures("linkage"), places.linkage_model):
        text = path.read_text(encoding="utf-8")
        assert not any(v in text for v in values)


@pytest.mark.usefixtures("learned")
def test_a_record_that_may_not_be_blended_never_enters_and_an_erased_household_has_no_links(project, tmp_path):
    places, keys = collected(tmp_path)
    first, *_, last = opened(*project[:2], "links")
    mine = {sid: True for name in SHELVES for sid in sids(places, keys, name)}
    allow(places, keys, {**mine, first["record"]: False})
    keys.forget(last["sid"])
    answer = run(places, keys)
    assert sum(answer.left_out.values()) == 1
    everything = [*opened(places, keys, "links"), *opened(places, keys, "review")]
    for gone in (first["record"], last["sid"]):
        assert not any(gone in (r.get("record"), r.get("other"), r["sid"]) for r in everything)
    keys.forget(first["sid"])  # later: what is there already cannot be opened any more
    assert first["sid"] not in {r["sid"] for r in opened(places, keys, "links")}


def test_who_is_not_on_the_list_is_not_allowed(tmp_path):
    places, keys = collected(tmp_path)
    places.blendable.unlink()
    answer = run(places, keys)
    assert (answer.links, set(answer.records.values())) == (0, {0})
    assert opened(places, keys, "links") == []


@pytest.mark.usefixtures("learned")
@pytest.mark.parametrize("missing", ["social_accounts", "registrations"])
def test_without_a_source_the_run_stands_and_says_what_is_missing(tmp_path, missing):
    places, keys = collected(tmp_path, without=(missing,))
    answer = run(places, keys)
    facts = {f.name: f.value for f in answer.findings.facts}
    assert facts["linkage_missing_sources"] == [missing]
    assert (answer.links > 0) == (missing != "registrations") == facts["linkage_done"]
    assert json.loads(places.measures("linkage").read_text())["facts"]["linkage_missing_sources"]["value"] == [missing]
    assert places.linkage_model.is_file()
    assert places.figure("linkage_tie").is_file()


def test_a_linked_profile_tells_the_household_s_birthday(project):
    places, keys, _ = project
    born = opened(places, keys, "births")
    linked = {r["sid"] for r in opened(places, keys, "links") if r["source"] == "crm"}
    assert len(born) > 100
    assert {r["sid"] for r in born} <= linked
    assert all(-45_000 < r["birth_day"] < 365 for r in born)


@pytest.mark.usefixtures("learned")
def test_two_runs_write_the_same_bytes_whatever_the_threads(project, tmp_path):
    """That learning itself repeats, in any order and with two threads, is held in test_linkage."""
    places, keys = collected(tmp_path)
    run(places, keys, threads=2)
    for name in ("links", "review", "births", "persons", "linkage_model"):
        ours, theirs = getattr(places, name), getattr(project[0], name)
        assert hashlib.sha256(ours.read_bytes()).digest() == hashlib.sha256(theirs.read_bytes()).digest(), name
    assert places.measures("linkage").read_bytes() == project[0].measures("linkage").read_bytes()
    assert places.figure("linkage_tie").read_bytes() == project[0].figure("linkage_tie").read_bytes()


def settled(places: Places, keys: MemoryKeys, persons: MemoryPersons) -> dict[str, str]:
    """Link and settle; record -> person."""
    run(places, keys, persons=persons)
    rows = [(record_name(r["source"], r["sid"]), r) for r in opened(places, keys, "persons")]
    person = {name: r["person"] for name, r in rows}
    made = moves(persons.known(), person, {name: r["fingerprint"] for name, r in rows})
    if made:
        persons.settle(made, places.linkage_model.read_text(encoding="utf-8"), office="dpo", person="D")
    return person


def decided(one: str, other: str, *, same: bool) -> tuple[PairDecision, ...]:
    return (PairDecision(*sorted((one, other)), same, 99, datetime(2026, 11, 28, tzinfo=UTC), "D"),)


OUTPUTS = ("links", "review", "births", "persons", "linkage_model")


@pytest.mark.usefixtures("learned")
def test_a_decision_binds_the_linkage_and_taken_back_or_undone_it_leaves_no_trace(tmp_path):
    places, keys = collected(tmp_path)
    persons = MemoryPersons()
    never = settled(places, keys, persons)
    bytes_before = {name: getattr(places, name).read_bytes() for name in OUTPUTS}
    first, *_, last = [r for r in opened(places, keys, "links") if r["source"] == "crm"]
    home, stranger = record_name("registrations", first["sid"]), record_name("crm", last["record"])
    assert never[home] != never[stranger]

    persons.decided = decided(home, stranger, same=True)
    merged = settled(places, keys, persons)
    assert merged[home] == merged[stranger]
    owners = {r["record"]: r["sid"] for r in opened(places, keys, "links")}
    assert owners[last["record"]] == first["sid"]

    persons.decided = decided(home, stranger, same=False)
    assert settled(places, keys, persons) == never
    owners = {r["record"]: r["sid"] for r in opened(places, keys, "links")}
    assert owners[last["record"]] == last["sid"]
    persons.decided = ()
    assert settled(places, keys, persons) == never
    assert {name: getattr(places, name).read_bytes() for name in OUTPUTS} == bytes_before


@pytest.mark.usefixtures("learned")
def test_two_who_were_joined_stay_apart_once_a_person_says_so(tmp_path):
    places, keys = collected(tmp_path)
    persons = MemoryPersons()
    before = settled(places, keys, persons)
    row = opened(places, keys, "links")[0]
    home, record = record_name("registrations", row["sid"]), record_name(row["source"], row["record"])
    persons.decided = decided(home, record, same=False)
    after = settled(places, keys, persons)
    assert before[home] == before[record] == after[home] != after[record]
    assert {m.change for m in persons.history()[-1][1]} == {Change.SPLIT}
    assert row["record"] not in {r["record"] for r in opened(places, keys, "links")}
    asked = {frozenset((r["sid"], r["other"])) for r in opened(places, keys, "review")}
    assert frozenset((row["sid"], row["record"])) not in asked


def test_identities_are_made_up_around_the_shipped_households_only(tmp_path):
    places, keys, engine = Places(tmp_path / "demo"), MemoryKeys(), DuckDBEngine(threads=1)
    asked = {"engine": engine, "keys": keys, "made_up": IdentitiesParams(), "as_of": date(2018, 1, 1)}
    taken = supplied(collect_identities, places=places, sources=SourcesParams(sample=40), **asked)
    assert {c.source: c.subjects for c in taken}["registrations"] == 40
    assert {
        r["source"] for r in read_sealed(places.truth("identities"), dataset="identities", keys=keys).to_pylist()
    } == set(SHELVES)
    (tmp_path / "own").mkdir()
    own = Places(tmp_path / "mine")
    nobody = supplied(collect_identities, places=own, sources=SourcesParams(folder=str(tmp_path / "own")), **asked)
    assert [c.taken for c in nobody] == [0, 0, 0]
    assert read_sealed(own.truth("identities"), dataset="identities", keys=keys).num_rows == 0
