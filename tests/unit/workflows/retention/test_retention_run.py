"""What outlived its declared time goes, is left at the door from then on, and what is under hold stays."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from living_world import natural
from rights_world import ANN, CARD, MERGED, NOON, OTHER, RightsWorld, rights_world, seal
from supplying import DAYS

from twinops.adapters.mlflow.versions import KnownVersion
from twinops.data import journey, retained
from twinops.data.sources import transactions
from twinops.governance import retention_certificate
from twinops.params import SourcesParams
from twinops.workflows.intake import Intake
from twinops.workflows.retention.run import ApplyRetention, RetentionRun, run
from twinops.workflows.subject.other_holders import recipients

KEPT = journey.RECEIPTS.retention_days
CUT = 100
ON = DAYS.date_of(CUT) + timedelta(days=KEPT)
"""The day on which receipts of before day `CUT` are too old."""


class Unsigned:
    """Nothing is signed here."""

    def sign(self, path, *, key, namespace):
        path.with_name(path.name + ".sig").write_text(namespace)


class Registered:
    """One version, which learned while everything was there."""

    def all(self):
        return {"twin": [KnownVersion("2", ("production",), {}), KnownVersion("1", (), {})]}


@pytest.fixture
def world(tmp_path) -> RightsWorld:
    made = rights_world(tmp_path / "project", households=60)
    for source in ("transactions", "consent", "campaigns", "redemptions", "crm"):
        for path in made.places.raw_batches(source):
            counts = {"source": source, "batch": path.stem, "read": 10_000, "taken": 10_000, "subjects": 60,
                      "left_out": {}, "quarantined": {}, "oldest_day": 0, "newest_day": 200}  # fmt: skip
            place = made.places.counts(source, path.stem)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps(counts))
    return made


def done(world: RightsWorld, *, on: date = ON, apply: ApplyRetention | None = None) -> RetentionRun:
    return run(world.desk, Unsigned(), Registered(), on=on, apply=apply)


def days_of(world: RightsWorld, source: str = "transactions", column: str = "day") -> pa.ChunkedArray:
    return world.receipts.plane.tables.source(source)[column]


def test_a_dry_run_counts_and_touches_nothing(world):
    before = {p: p.read_bytes() for p in world.places.root.rglob("*") if p.is_file()}
    found = done(world)
    (receipts,) = (o for o in found.outlived if o.source == "transactions")
    assert receipts.rows == pc.sum(pc.less(days_of(world), CUT)).as_py() > 0
    assert (receipts.first, found.applied) == (DAYS.date_of(CUT), False)
    assert {p: p.read_bytes() for p in world.places.root.rglob("*") if p.is_file()} == before


def test_what_is_too_old_goes_with_its_counts_and_a_certificate_and_twice_is_once(world):
    rows = len(days_of(world))
    first = done(world, apply=ApplyRetention("dpo"))
    (receipts,) = (o for o in first.outlived if o.source == "transactions")
    assert pc.min(days_of(world)).as_py() >= CUT
    assert len(days_of(world)) == rows - receipts.rows
    counts = [json.loads(p.read_text()) for p in world.places.all_counts if p.parent.name == "transactions"]
    assert sum(c["left_out"].get("outlived_retention", 0) for c in counts) == receipts.rows
    assert sum(10_000 - c["read"] for c in counts) == receipts.rows
    told = json.loads(first.certificate.read_text())
    assert told["kind"] == retention_certificate.KIND
    assert "rows of transactions" in [c["kind"] for c in told["copies"]]
    assert "dvc gc" in json.dumps(told)
    assert [(m["version"], m["aliases"]) for m in told["models"]] == [("1", []), ("2", ["production"])]
    assert told["recipients"] == recipients(world.places) != []
    again = done(world, apply=ApplyRetention("dpo"))
    assert (again.outlived, again.certificate) == ((), None)


def test_nothing_old_is_on_the_day_before(world):
    assert all(o.source != "transactions" for o in done(world, on=DAYS.date_of(0) + timedelta(days=KEPT)).outlived)


def test_rows_under_hold_stay_and_go_when_it_is_released(world):
    world.take(ANN, "hold", ground="17(3)(e)")
    theirs = world.receipts.plane.tables.one(world.sid(ANN), "transactions")
    found = done(world, apply=ApplyRetention("dpo"))
    (receipts,) = (o for o in found.outlived if o.source == "transactions")
    assert receipts.spared == pc.sum(pc.less(theirs["day"], CUT)).as_py() > 0
    assert world.receipts.plane.tables.one(world.sid(ANN), "transactions").equals(theirs)
    assert "under hold" in json.loads(found.certificate.read_text())["stays"][0]
    world.take(ANN, "release")
    assert done(world).outlived[0].rows == receipts.spared


def test_what_went_is_left_at_the_door_when_it_is_collected_again(world):
    world.take(ANN, "hold", ground="17(3)(e)")
    done(world, apply=ApplyRetention("dpo"))
    before = world.places.raw_batches("transactions")[0].read_bytes()
    receipts = world.receipts
    intake = Intake(receipts.plane, SourcesParams(), DAYS, rights=receipts.rights)
    rows = pa.table({"household_id": [natural(ANN), natural(OTHER), natural(OTHER)], "day": [1, 1, CUT]})
    kept, outlived = intake._young_enough(rows, "transactions", transactions)
    assert kept.to_pylist() == [rows.to_pylist()[0], rows.to_pylist()[2]]
    assert outlived == 1
    assert world.places.raw_batches("transactions")[0].read_bytes() == before


def test_the_first_day_never_moves_back(world):
    done(world, apply=ApplyRetention("dpo"))
    since = retained.read(world.places.retained)
    done(world, on=ON - timedelta(days=20), apply=ApplyRetention("dpo"))
    assert retained.read(world.places.retained) == since


def test_whole_persons_of_whom_nothing_is_young_are_handed_to_what_erases(world):
    late = date(2200, 1, 1)
    erased: list[tuple[str, ...]] = []
    found = done(world, on=late, apply=ApplyRetention("dpo", erase=erased.append))
    assert erased == [found.due]
    assert world.sid(ANN) in found.due
    assert {world.sid(MERGED), world.sid(CARD)} <= set(found.due), "with every record of the person"
    assert world.sid(ANN) not in found.text()


def test_a_person_with_anything_young_under_any_id_is_not_due(world):
    profile = {"crm_id": [CARD], "card": [world.sid(MERGED)], "updated": [DAYS.number(ON)]}
    profile |= {c: ["x"] for c in ("given", "surname", "born", "email", "phone", "street", "postcode", "city")}
    seal(world.places.raw("crm", "all"), pa.table(profile), world.keys, dataset="crm", subject="crm_id")
    on = DAYS.date_of(201) + timedelta(days=max(KEPT, 2_000))
    assert world.sid(MERGED) in done(world, on=date(2200, 1, 1)).due
    young = done(world, on=min(on, ON + timedelta(days=1_000)))
    assert world.sid(MERGED) not in young.due


def test_a_no_never_lapses(world):
    found = done(world, on=date(2200, 1, 1), apply=ApplyRetention("dpo"))
    assert {o.source for o in found.outlived} & {"consent", "choices"} == set()
    assert len(days_of(world, "consent")) > 0


def test_the_wrong_office_lets_nothing_go(world):
    rows = len(days_of(world))
    assert done(world, apply=ApplyRetention("risk-officer")).refused is not None
    assert len(days_of(world)) == rows


def test_somebody_killed_before_the_rows_went_finishes_by_running_again(world, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("twinops.workflows.retention.run._cut", die)
        with pytest.raises(KeyboardInterrupt):
            done(world, apply=ApplyRetention("dpo"))
    before = replace(world, clock=[NOON])
    assert done(before, apply=ApplyRetention("dpo")).outlived[0].rows > 0
    assert pc.min(days_of(world)).as_py() >= CUT
    assert len(list((world.places.root / "erasures").glob("*.json"))) == 1
