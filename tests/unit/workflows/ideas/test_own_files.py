"""Each kind of file does its work in a project, is greeted by its shelf, and is watched by whoever loads it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import own_world
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shoppers
import yaml

from twinops import ideas, plugins
from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.journey import RECEIPTS
from twinops.entities.consent import Purpose
from twinops.entities.measure import Measure
from twinops.entities.wording import NEUTRAL
from twinops.errors import DataError, IntegrityError, ParamsError
from twinops.evaluation.accuracy.choice import with_own
from twinops.evaluation.necessity.rows import feature_columns
from twinops.ideas import IdeasParams
from twinops.own_params import NOTHING_OWN
from twinops.params import ChallengerParams, ChooseParams, SourcesParams, TrainParams
from twinops.twin.answers.explain import explain_heads
from twinops.twin.model.families import REGRESSIONS, Speakers
from twinops.twin.model.model_file import from_text, to_text
from twinops.twin.model.recipe import Recipe
from twinops.twin.own_features._shelf import own_features
from twinops.twin.own_features.computed import against_undeclared, of_one
from twinops.twin.own_features.computed import with_own as with_features
from twinops.twin.state.advance import silent, with_basket
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.evidence import source_facts
from twinops.workflows.ideas.check import WATCHED, Greeted, check
from twinops.workflows.ideas.kept import against_strange, own_findings
from twinops.workflows.ideas.new import example, new
from twinops.workflows.ideas.watch import watch
from twinops.workflows.intake import Intake
from twinops.workflows.pipeline.choose import chosen_on
from twinops.workflows.pipeline.collect_profile import collect_profile
from twinops.workflows.places import Places
from twinops.workflows.watched_pipeline import OwnThings, plain, rewritten

ROOT = Path(__file__).resolve().parents[4]
ENGINE = DuckDBEngine(threads=1)
KINDS = [
    ("gate", "comes_back", False),
    ("document", "floor_letter", False),
    ("source", "web_visits", False),
    ("feature", "eight_weeks", False),
    ("feature", "big_baskets", True),
    ("head", "small_forest", False),
    ("stage", "known_share", False),
]


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    yield
    plugins.lay(())


@pytest.fixture
def shop(tmp_path: Path) -> Places:
    """A project as far as ideas go: parameters, pipeline and policy of this repository."""
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "compliance").mkdir()
    listed = (ROOT / "compliance" / "policy.yaml").read_text(encoding="utf-8")
    (tmp_path / "compliance" / "policy.yaml").write_text(listed, encoding="utf-8")
    (tmp_path / "in").mkdir()
    ids = [f"c{i}" for i in range(30)]
    pq.write_table(pa.table({"household_id": ids, "visits": range(30)}), tmp_path / "in" / "web_visits.parquet")
    return Places(tmp_path)


def greeted(places: Places) -> tuple[Greeted, ...]:
    things = OwnThings(places, NOTHING_OWN, ideas.named(places.root))
    watch(things)
    return check(things, ENGINE)


def ask(places: Places, gate: str) -> None:
    path = places.compliance / "policy.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("gates:\n", f"gates:\n  - {{id: {gate}, gate: {gate}}}\n", 1), encoding="utf-8")


@pytest.mark.parametrize(("kind", "name", "sql"), KINDS)
def test_what_new_begins_passes_every_check_of_its_shelf(shop: Places, kind: str, name: str, sql: bool) -> None:
    begun = new(kind, name, places=shop, sql=sql)
    if kind == "gate":
        ask(shop, name)
    found = greeted(shop)
    assert {one.path for one in found} == {begun.path}
    assert [one for one in found if one.problem] == []
    assert len(found) >= 2
    with pytest.raises(ParamsError, match="is there already"):
        new(kind, name, places=shop, sql=sql)


def test_docs_show_each_example_as_it_is_begun() -> None:
    page = (ROOT / "docs" / "ideas.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"<!-- ideas/(\S+) -->\n```\w+\n(.*?)```", page, re.DOTALL))
    begun = {}
    for kind, name, sql in KINDS:
        ending = "sql" if sql else "py"
        begun[f"{kind}s/{name}.{ending}"] = example(f"{kind}s", name, ending)
    assert shown == begun


def test_an_idea_that_nothing_watches_is_told(shop: Places) -> None:
    new("head", "small_forest", places=shop)
    things = OwnThings(shop, NOTHING_OWN, ideas.named(shop.root))
    assert [one.sentence for one in check(things, ENGINE) if one.problem] == [WATCHED]
    assert watch(things)
    assert not watch(things)
    assert [one for one in check(things, ENGINE) if one.problem] == []


@pytest.mark.parametrize(
    ("kind", "old", "now", "problem"),
    [
        ("gate", '"""Refuse', '"""Say', "begin: Refuse"),
        ("gate", "found is None or found.low is None", "found is not None and found.low is None", "AttributeError"),
        ("document", '"Nothing was measured yet."', '"It is 0.5."', "states a figure without evidence"),
        ("source", "columns=dict.fromkeys(SCHEMA.names, (Purpose.TRAINING,))", "columns={}", "LEGAL.columns"),
        ("head", '"random_state": 7', '"random_state": None', "set random_state"),
        ("head", "RandomForestRegressor(**kept_small)", "object()", "AttributeError"),
        ("feature", '"day_count_distinct"]})', '"day_count_distinct"], "x": past["day"]})', "ArrowInvalid"),
        ("stage", "home.measured", "home.told", "no cell calls"),
    ],
)
def test_a_file_that_breaks_a_promise_is_told_which(shop: Places, kind: str, old: str, now: str, problem: str) -> None:
    path = shop.root / new(kind, "mine", places=shop).path
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, now), encoding="utf-8")
    if kind == "source":
        pq.write_table(pa.table({"household_id": ["c"], "visits": [1]}), shop.root / "in" / "mine.parquet")
    assert problem in "; ".join(one.problem for one in greeted(shop))


# who depends on them


def test_each_idea_is_a_dep_of_whoever_may_load_it_and_of_nobody_else(shop: Places) -> None:
    for kind, name, sql in KINDS:
        new(kind, name, places=shop, sql=sql)
    named, text = ideas.named(shop.root), shop.pipeline.read_text(encoding="utf-8")
    after = rewritten(text, NOTHING_OWN, named, shop.root)
    stages = yaml.safe_load(after)["stages"]
    deps = {name: stage.get("do", stage)["deps"] for name, stage in stages.items()}
    holders = {path: {name for name, of in deps.items() if path in of} for path in named.paths}
    assert "documents" in set.intersection(*(held for path, held in holders.items() if "/stages/" not in path))
    assert "quality" not in holders["ideas/gates/comes_back.py"]
    assert holders["ideas/stages/known_share.py"] == {"own_known_share"}
    assert "own_web_visits" in holders["ideas/sources/web_visits.py"]
    first = deps["own_web_visits"]
    assert first[0] == "ideas/sources/web_visits.py"
    assert {"epoch.json", "holds.json", "in/web_visits.parquet"} <= set(first)
    assert "data/features/panel.parquet" in deps["own_known_share"]
    assert rewritten(after, NOTHING_OWN, named, shop.root) == after
    assert plain(after, shop.root) == text


@pytest.mark.parametrize("after", ['after = ["nowhere"]', 'after = ["documents"]', "after = []", "after = list('ab')"])
def test_a_notebook_says_which_stages_it_comes_after(shop: Places, after: str) -> None:
    path = shop.root / new("stage", "known_share", places=shop).path
    path.write_text(path.read_text(encoding="utf-8").replace('after = ["features"]', after), encoding="utf-8")
    with pytest.raises(ParamsError, match="comes after"):
        greeted(shop)


@pytest.mark.parametrize("name", ["train", "population", "accuracy"])
def test_a_stage_does_not_write_over_a_shipped_one(shop: Places, name: str) -> None:
    new("stage", name, places=shop)
    with pytest.raises(ParamsError, match="takes the name of what twinops ships"):
        greeted(shop)


@pytest.mark.parametrize("file", ["/etc/hosts.parquet", "../out.parquet", "in/web.csv"])
def test_a_source_reads_a_file_of_the_project_and_none_elsewhere(shop: Places, file: str) -> None:
    path = shop.root / new("source", "web_visits", places=shop).path
    text = path.read_text(encoding="utf-8").replace("in/web_visits.parquet", file)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError, match="a Parquet file of the project"):
        greeted(shop)


def test_a_stage_leaves_measures_under_its_own_name_and_nothing_else(shop: Places) -> None:
    named = IdeasParams(("stages/known_share.py",))
    good = Measure("known_share.share", 0.5, 10, "made up", "counted")
    shop.keep("known_share", own_findings(named, "known_share", {good: "A share"}), NEUTRAL)
    against_strange(shop, named)
    assert [m.name for m in shop.kept("known_share").measures] == ["known_share.share"]
    with pytest.raises(ParamsError, match="is not called as the stage"):
        own_findings(named, "known_share", {replace(good, name="active_auc"): "A shipped measure"})
    with pytest.raises(ParamsError, match="no stage of this project's own"):
        own_findings(named, "evaluate", {good: "A share"})
    told = json.loads(shop.measures("known_share").read_text(encoding="utf-8"))
    told["facts"] = {"excluded": {"name": "excluded", "value": {}, "kind": "measured", "source": "x"}}
    shop.measures("known_share").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(DataError, match="measures and no facts"):
        against_strange(shop, named)


# features


def lay_feature(root: Path, text: str, ending: str = "py") -> None:
    path = root / "ideas" / "features" / f"mine.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    plugins.lay(ideas.read(root, IdeasParams((f"features/mine.{ending}",))))


LINES = shoppers.lines(("a" * 32, 1, 500), ("a" * 32, 9, 700), ("b" * 32, 5, 100), ("c" * 32, 3, 1))
PANEL = pa.table({"sid": ["a" * 32, "a" * 32, "b" * 32], "cutoff": [5, 10, 10]})
TOTAL = "SELECT subject, SUM(sales_cents) + 1000 * COUNT(*) AS value FROM past GROUP BY subject"
SUM = "-- says: money\n-- reads: sales_cents\n-- purposes: twin_training, twin_scoring\n"


def test_a_feature_sees_what_came_before_the_day_and_whom_the_panel_holds(tmp_path: Path) -> None:
    lay_feature(tmp_path, SUM + TOTAL, "sql")
    assert with_features(PANEL, LINES, own_features(), ENGINE)["own_mine"].to_pylist() == [1500.0, 3200.0, 1100.0]
    one = LINES.filter(pa.array([True, True, False, False]))
    assert of_one(one, 10, own_features(), ENGINE) == {"own_mine": 3200.0}


@pytest.mark.parametrize(
    ("select", "why"),
    [
        ("subject, 1 AS value FROM past", "more than one row for a subject"),
        ("99 AS subject, 1 AS value", "a row for nobody"),
        ("0 AS subject, 'a' AS value", "is none"),
        ("0 AS subject, 1e300 AS value", "not finite"),
        ("0 AS subject", "no table of subject and value"),
        ("0 AS subject, nowhere AS value", "the query is wrong"),
        ("0 AS subject, LENGTH(content) AS value FROM read_text('/etc/hostname')", "PermissionException"),
        ("0 AS subject, COUNT(*) AS value FROM '/etc/passwd'", "cannot be computed"),
    ],
)
def test_a_query_that_answers_otherwise_or_opens_a_file_is_refused_in_a_sentence(
    tmp_path: Path, select: str, why: str
) -> None:
    lay_feature(tmp_path, f"{SUM}SELECT {select}", "sql")
    with pytest.raises(DataError, match="ideas/features/mine") as told:
        with_features(PANEL, LINES, own_features(), ENGINE)
    assert why in str(told.value)


def test_a_value_that_a_feature_stumbles_over_is_not_repeated(tmp_path: Path) -> None:
    lay_feature(
        tmp_path, example("features", "mine").replace("    late = ", "    raise ValueError(str(past))\n    late = ")
    )
    with pytest.raises(DataError, match="it ended with a ValueError") as told:
        with_features(PANEL, LINES, own_features(), ENGINE)
    assert "700" not in str(told.value)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("-- says: x\n-- reads: day\n", "lacks `-- purposes"),
        ("-- says: x\n-- reads: day\n-- purposes: twin_training\n", "not declared for twin_scoring"),
        ("-- says: x\n-- reads: day\n-- purposes: fun, twin_scoring\n", "fun is no purpose"),
        ("-- says: x\n-- reads: product_id\n-- purposes: twin_training, twin_scoring\n", "reads product_id"),
    ],
)
def test_a_feature_without_a_declared_purpose_is_refused(tmp_path: Path, header: str, why: str) -> None:
    lay_feature(tmp_path, header + TOTAL, "sql")
    with pytest.raises(ParamsError, match="ideas/features") as told:
        own_features()
    assert why in str(told.value)


def test_a_feature_of_a_column_that_is_not_declared_for_the_twin_is_refused(tmp_path: Path) -> None:
    lay_feature(tmp_path, SUM.replace("sales_cents", "store_id") + TOTAL, "sql")
    against_undeclared(own_features(), RECEIPTS)
    narrowed = {**RECEIPTS.columns, "store_id": (Purpose.TRAINING,)}
    with pytest.raises(ParamsError, match="reads store_id, which is not declared for twin_scoring"):
        against_undeclared(own_features(), replace(RECEIPTS, columns=narrowed))
    without = {c: p for c, p in RECEIPTS.columns.items() if c != "store_id"}
    with pytest.raises(ParamsError, match="which the receipt lines have not got"):
        against_undeclared(own_features(), replace(RECEIPTS, columns=without))


# heads

TRAIN = TrainParams(activity_c=0.2, spend_alpha=0.01)
TREES = ChallengerParams(activity_trees=5, rate_trees=5, least_rows=10)


def lay_head(root: Path, text: str, *more: str) -> None:
    path = root / "ideas" / "heads" / "small_forest.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    plugins.lay(ideas.read(root, IdeasParams(("heads/small_forest.py", *more))))


@pytest.fixture(scope="module")
def known() -> shoppers.Examples:
    found = shoppers.examples_of(shoppers.crowd())
    own = np.asarray(found.table["baskets_total"].to_numpy(), dtype=float) % 7
    return shoppers.Examples(found.table.append_column("own_eighth", pa.array(own)))


def test_an_own_head_is_kept_as_text_and_says_the_same_from_it(tmp_path: Path, known: shoppers.Examples) -> None:
    lay_head(tmp_path, example("heads", "small_forest"))
    speakers = Speakers(activity=("regression", "own_small_forest"), spend=("own_small_forest",))
    model = Recipe(shoppers.GRID, TRAIN, TREES, speakers).fit(known.all_closed())
    again = from_text(to_text(model))
    plugins.lay(())  # what answers needs nothing of the project's own
    for one, other in zip(
        vars(model.predict(known.table)).values(), vars(again.predict(known.table)).values(), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert again.own_columns == ("own_eighth",)
    told = explain_heads(again, known.table.slice(0, 20), "spend")
    spend = again.answers(known.table.slice(0, 20))["own_small_forest"]["spend"]
    np.testing.assert_allclose(np.exp(told.predictor), np.maximum(spend, 1e-9), rtol=1e-9)
    assert "own_eighth" in told.grouped.names


def test_an_own_feature_is_asked_about_need_as_a_source_is(known: shoppers.Examples) -> None:
    asked = feature_columns(known)
    assert list(asked) == ["own_eighth"]
    assert asked["own_eighth"].shape == (len(known), 1)
    nothing = known.table.set_column(
        known.table.column_names.index("own_eighth"), "own_eighth", pa.array([3.0] * len(known))
    )
    assert feature_columns(shoppers.Examples(nothing)) == {}, "what is the same of everybody tells nothing"


def test_a_what_if_holds_an_own_feature_as_it_stands(known: shoppers.Examples) -> None:
    for moved in (
        silent(known.table, 7, shoppers.GRID.decay_days),
        with_basket(known.table, 25, shoppers.GRID.decay_days),
    ):
        assert moved["own_eighth"].to_pylist() == known.table["own_eighth"].to_pylist()


def test_a_file_whose_own_family_does_not_fit_is_refused(tmp_path: Path, known: shoppers.Examples) -> None:
    lay_head(tmp_path, example("heads", "small_forest"))
    model = Recipe(shoppers.GRID, TRAIN, TREES, Speakers(spend=("own_small_forest",))).fit(known.all_closed())
    told = json.loads(to_text(model))
    for change in ({"own": []}, {"own": [{**told["own"][0], "columns": [], "heads": {}}]}):
        with pytest.raises(IntegrityError, match="own"):
            from_text(json.dumps({**told, **change}))


@pytest.mark.parametrize(
    ("old", "now", "why"),
    [
        ('("activity", "spend")', '("weather",)', "FORETELLS is"),
        ("RandomForestRegressor(**kept_small)", "KNeighborsRegressor()", "cannot be stored as numbers"),
        ("RandomForestRegressor(**kept_small)", "object()", "cannot learn: AttributeError"),
    ],
)
def test_a_head_that_cannot_be_kept_is_refused_in_a_sentence(
    tmp_path: Path, known: shoppers.Examples, old: str, now: str, why: str
) -> None:
    text = example("heads", "small_forest").replace(old, now)
    lay_head(tmp_path, f"{text}\n\nfrom sklearn.neighbors import KNeighborsRegressor\n")
    recipe = Recipe(shoppers.GRID, TRAIN, TREES, Speakers(spend=("own_small_forest",)))
    with pytest.raises(ParamsError, match=r"ideas/heads/small_forest\.py") as told:
        recipe.fit(known.all_closed())
    assert why in str(told.value)


def test_an_own_head_competes_by_the_same_scores_and_speaks_only_where_shown_better(
    tmp_path: Path, known: shoppers.Examples
) -> None:
    margins = ChooseParams(cutoffs=(113,), draws=50, seed=1)
    recipe = Recipe(shoppers.GRID, TRAIN, TREES)
    noise = example("heads", "small_forest").replace('"max_depth": 4', '"max_depth": 1')
    lay_head(tmp_path, noise)
    chosen = chosen_on(known, recipe, margins)
    measured = {m.name for m in chosen.findings.measures}
    assert {
        "choice.spend_deviance.gain_of_own_small_forest",
        "choice.active_log_loss.gain_of_own_small_forest",
    } <= measured
    assert "own_small_forest" in chosen.choice.why["spend"] + chosen.choice.why["activity"]
    assert "own_small_forest" not in chosen.choice.why["baskets"], "it does not foretell baskets"
    plugins.lay(())
    assert "own_small_forest" not in chosen_on(known, recipe, margins).findings.to_json()
    assert with_own("regression", ()) == ()
    assert REGRESSIONS.own == ()


# sources


def test_an_own_source_is_taken_in_beside_sources_that_are_only_declared_and_told_of_by_its_file(shop: Places) -> None:
    new("source", "web_visits", places=shop)
    ideas.lay(shop.root)
    told = own_world.params(sales=own_world.RETAIL).own
    plane = DataPlane(shop, ENGINE, MemoryKeys())
    taken = collect_profile("web_visits", Intake(plane, SourcesParams(), shoppers.GRID.days, told))
    assert (taken.read, taken.taken, taken.subjects, taken.undeclared) == (30, 30, 30, False)
    facts = {f.name: f for f in source_facts(told)}
    assert facts["source.web_visits"].source == "ideas/sources/web_visits.py"
    assert "source.campaigns" not in facts, "the shipped ones are other people's"
