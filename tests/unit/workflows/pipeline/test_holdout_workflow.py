"""Households that stand apart train, tune and choose nothing, and are measured for one candidate at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from shoppers import GRID, crowd, sealed_project
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.findings import Findings
from twinops.errors import DataError, IntegrityError, ParamsError
from twinops.params import ChallengerParams, ChooseParams, EvaluateParams, HoldoutParams, TrainParams
from twinops.workflows.holdout.new_split import new_split
from twinops.workflows.holdout.open_once import Opened, Opening, open_once
from twinops.workflows.looks import looks_of
from twinops.workflows.pipeline.choose import choose
from twinops.workflows.pipeline.evaluate import evaluate
from twinops.workflows.pipeline.features import features
from twinops.workflows.pipeline.holdout import holdout
from twinops.workflows.pipeline.train import train
from twinops.workflows.places import Places
from twinops.workflows.twin.access import made_of_it

pytestmark = pytest.mark.filterwarnings("default")
KEYS, ENGINE, AS_OF = MemoryKeys(), DuckDBEngine(threads=1), date(2017, 6, 20)
PENALTIES, TREES = TrainParams(activity_c=1.0, spend_alpha=0.001), ChallengerParams(activity_trees=10, rate_trees=10)
HELD_OUT, RULE = EvaluateParams(cutoffs=(141,), draws=50, seed=7), HoldoutParams()
EARLIER = ChooseParams(cutoffs=(113,), draws=50)
SHOPPED = crowd(600, days=170)
MADE = {"engine": ENGINE, "keys": KEYS, "grid": GRID, "penalties": PENALTIES, "trees": TREES, "held_out": HELD_OUT}
WHY = Opening("risk-officer", "the release of June is decided on it", AS_OF)


class Settled:
    """A lineage in which nothing changed, or only what is named."""

    def __init__(self, **changed: tuple[str, ...]) -> None:
        self._changed = changed

    def changed(self) -> dict[str, tuple[str, ...]]:
        return self._changed

    def git_revision(self) -> str:
        return "f" * 40


@pytest.fixture(autouse=True, scope="module")
def without_pictures() -> Iterator[None]:
    """They have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        for stage in ("features", "train", "evaluate"):
            patch.setattr(f"twinops.workflows.pipeline.{stage}.save", lambda figure, path, words: None)
        yield


def project(root: Path, transactions: pa.Table = SHOPPED) -> Places:
    places = sealed_project(root, KEYS, transactions)
    supplied(features, places, engine=ENGINE, keys=KEYS, grid=GRID, as_of=AS_OF)
    supplied(choose, places, margins=EARLIER, **MADE)
    supplied(train, places, **MADE)
    measured(places)
    return places


def measured(places: Places, **other: object) -> Findings:
    """What `evaluate` and then the final stage leave, of another model where it is made otherwise."""
    if other:
        supplied(train, places, **{**MADE, **other})
    supplied(evaluate, places, **{**MADE, **other})
    supplied(holdout, places, rule=RULE, **{**MADE, **other})
    return places.kept("holdout")


def opening(places: Places, said: Opening = WHY, lineage: Settled | None = None, **other: object) -> Opened:
    return supplied(
        open_once, places, opening=said, lineage=lineage or Settled(), rule=RULE, **{**MADE, **other}
    )  # fmt: skip


def apart(places: Places) -> list[str]:
    table = SealedTables(places.raw_batches, KEYS).table(places.apart(places.panel))
    return sorted(set(table["sid"].to_pylist()))


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return project(tmp_path_factory.mktemp("calm") / "p")


def test_a_wild_household_among_them_changes_nothing_that_is_trained_chosen_or_shown(calm: Places, tmp_path: Path):
    natural = sorted(set(SHOPPED["sid"].to_pylist()))
    theirs = dict(zip(KEYS.subject_ids(natural), natural, strict=True))
    wild = theirs[apart(calm)[0]]
    cents = pc.if_else(pc.equal(SHOPPED["sid"], wild), 5_000_000, SHOPPED["sales_cents"])
    other = project(
        tmp_path / "p", SHOPPED.set_column(SHOPPED.schema.get_field_index("sales_cents"), "sales_cents", cents)
    )
    same = [calm.model, calm.measures("champion"), calm.measures("accuracy"), calm.panel, calm.labels]
    same += [calm.predictions, calm.trained_subjects, calm.looks, calm.measures("holdout")]
    for path in same:
        assert path.read_bytes() == (other.root / path.relative_to(calm.root)).read_bytes(), path.name
    assert calm.apart(calm.panel).read_bytes() != other.apart(other.panel).read_bytes()


def test_nobody_who_stands_apart_is_among_the_rows_the_others_learn_from(calm: Places):
    tables, theirs = SealedTables(calm.raw_batches, KEYS), set(apart(calm))
    assert len(theirs) >= 100
    for path, dataset in ((calm.panel, "panel"), (calm.labels, "labels"), (calm.predictions, "predictions"),
                          (calm.trained_subjects, "trained")):  # fmt: skip
        assert not theirs & set(tables.table(path, dataset=dataset)["sid"].to_pylist()), dataset


def test_whoever_stands_apart_is_in_the_population_that_is_told(calm: Places):
    told = {f.name: f.value for f in calm.kept("population").facts}
    assert told["population.panel"]["households"] == 600
    assert told["holdout.split"] == {
        "share": 0.2, "salt": 1, "households": len(apart(calm)), "of": 600, "why_not": "",
    }  # fmt: skip


@pytest.fixture
def fresh(calm: Places, tmp_path: Path) -> Places:
    """A copy in which nothing was opened."""
    import shutil

    shutil.copytree(calm.root, tmp_path / "p")
    return Places(tmp_path / "p")


def looks(found: Findings) -> dict:
    return next(f.value for f in found.facts if f.name == "looks")


def test_an_ordinary_run_opens_nothing_and_counts_a_candidate_once(fresh: Places):
    before = fresh.looks.read_bytes()
    found = measured(fresh)
    assert found.measures == ()
    assert (looks(found)["tried"], looks(found)["openings"]) == (1, [])
    assert fresh.looks.read_bytes() == before


def test_another_candidate_on_the_same_days_is_another_look(fresh: Places):
    assert looks(measured(fresh, penalties=TrainParams(activity_c=0.1, spend_alpha=0.001)))["tried"] == 2
    assert looks(measured(fresh))["tried"] == 2, "going back is no new look"


def test_once_opened_it_is_measured_with_its_doubt_and_the_same_bytes_come_again(fresh: Places):
    assert opening(fresh) == Opened(1, written=True, earlier=0)
    found = {m.name: m for m in measured(fresh).measures}
    auc = found["holdout_active_auc"]
    assert auc.low < auc.value < auc.high
    assert auc.n <= len(apart(fresh))
    assert "look 1 " in auc.source
    assert set(found) == {
        f"holdout_{q}" for q in ("active_auc", "active_brier", "baskets_poisson_deviance", "spend_mae")
    }
    text = fresh.measures("holdout").read_bytes()
    assert opening(fresh) == Opened(1, written=False, earlier=1), "the same candidate is the same look"
    measured(fresh)
    assert fresh.measures("holdout").read_bytes() == text


def test_another_candidate_is_not_measured_on_what_was_opened_for_this_one(fresh: Places):
    opening(fresh)
    found = measured(fresh, penalties=TrainParams(activity_c=0.1, spend_alpha=0.001))
    assert found.measures == ()
    assert [o["of_this"] for o in looks(found)["openings"]] == [False]


def test_a_second_look_asks_for_a_reason_and_every_figure_of_it_says_so(fresh: Places):
    opening(fresh)
    other = {"penalties": TrainParams(activity_c=0.1, spend_alpha=0.001)}
    measured(fresh, **other)
    for empty in ("", "again", " " * 40):
        with pytest.raises(ParamsError, match=r"looked at 1 time\(s\) before"):
            opening(fresh, Opening(WHY.by, WHY.why, AS_OF, empty), **other)
    said = Opening(WHY.by, WHY.why, AS_OF, "a fault in the first candidate's features was found")
    assert opening(fresh, said, **other).number == 2
    found = measured(fresh, **other)
    assert all("look 2 " in m.source for m in found.measures)
    assert "a fault in the first" in looks(found)["openings"][1]["why"]


def test_a_shortened_ledger_stops_the_stage(fresh: Places):
    opening(fresh)
    measured(fresh, penalties=TrainParams(activity_c=0.1, spend_alpha=0.001))
    lines = fresh.looks.read_text(encoding="utf-8").splitlines(keepends=True)
    fresh.looks.write_text(lines[0] + "".join(lines[2:]), encoding="utf-8")
    with pytest.raises(IntegrityError, match="changed or taken out"):
        measured(fresh)


def test_a_look_is_not_spent_on_what_is_made_anew_the_next_moment(fresh: Places):
    with pytest.raises(IntegrityError, match="train was made before"):
        opening(fresh, lineage=Settled(train=("params.yaml: train",)))
    opening(fresh, lineage=Settled(documents=("compliance",)))


@pytest.mark.parametrize("said", [Opening("", WHY.why, AS_OF), Opening("x", "short", AS_OF)])
def test_who_and_why_are_asked_for(fresh: Places, said: Opening):
    with pytest.raises(ParamsError):
        opening(fresh, said)
    assert looks_of(fresh).events[-1].kind == "tried"


def test_a_small_shop_is_told_why_there_is_nothing_to_open(tmp_path: Path):
    places = project(tmp_path / "p", crowd(120, days=170))
    assert apart(places) == []
    with pytest.raises(DataError, match="too few to tell anything"):
        opening(places)
    found = places.kept("holdout")
    assert found.measures == ()


def test_another_split_is_an_event_before_anything_is_drawn(fresh: Places):
    again = HoldoutParams(salt=2)
    with pytest.raises(ParamsError, match="declared already"):
        new_split("owner", "other households shall stand apart", AS_OF, places=fresh, rule=RULE)
    supplied(holdout, fresh, rule=again, **MADE)
    assert not looks(fresh.kept("holdout"))["declared"]
    assert new_split("owner", "other households shall stand apart", AS_OF, places=fresh, rule=again).salt == 2
    supplied(holdout, fresh, rule=again, **MADE)
    assert looks(fresh.kept("holdout"))["declared"]


def test_the_ledger_holds_no_consumer(fresh: Places):
    opening(fresh)
    text = fresh.looks.read_text(encoding="utf-8")
    natural = sorted(set(SHOPPED["sid"].to_pylist()))
    assert not any(sid in text for sid in (*KEYS.subject_ids(natural), *natural[1:]))
    assert all(set(json.loads(line)) == {"about", "after", "kind"} for line in text.splitlines())


def test_without_rows_or_a_choice_one_sentence_says_what_to_run(fresh: Places):
    fresh.panel.unlink()
    with pytest.raises(DataError, match="no panel"):
        opening(fresh)
    fresh.measures("champion").unlink()
    with pytest.raises(DataError):
        opening(fresh)


def test_no_stage_but_the_final_one_is_given_their_outcomes():
    stages = yaml.safe_load((Path(__file__).parents[4] / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    given = {name: stage.get("deps", ()) for name, stage in stages.items()}
    assert {n for n, deps in given.items() if "data/holdout/labels.parquet" in deps or "data/holdout" in deps} == {
        "holdout"
    }
    assert "data" in given["documents"], "which digests everything and opens nothing"


def test_whoever_stands_apart_is_served_and_told_of_like_everybody(calm: Places):
    sid = apart(calm)[0]
    own = SealedTables(calm.raw_batches, KEYS).of([sid])
    assert own.table(calm.panel).num_rows == 0
    assert own.parted(calm.both(calm.panel)).num_rows == len(GRID.cutoffs)
    held = {record.source: record.records for record in made_of_it(calm, SimpleNamespace(tables=own))}
    assert held["states, by as-of day"] == len(GRID.cutoffs)
    assert held["what came after each state"] > 0
