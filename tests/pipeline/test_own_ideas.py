"""Each kind of idea, once, through a whole project: begun, run, judged, changed and taken back."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from workshop import Workshop

from shops import shops

pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(3000)]
VENV = f"VENV={sys.prefix}"
BEGUN = {
    "ideas/gates/comes_back.py": ("gate", "comes_back"),
    "ideas/documents/floor_letter.py": ("document", "floor_letter"),
    "ideas/sources/web_visits.py": ("source", "web_visits"),
    "ideas/features/eight_weeks.py": ("feature", "eight_weeks"),
    "ideas/features/big_baskets.sql": ("feature", "big_baskets", "--sql"),
    "ideas/heads/small_forest.py": ("head", "small_forest"),
    "ideas/stages/known_share.py": ("stage", "known_share"),
}
ASKED = "gates:\n  - {id: comes_back, gate: comes_back, limits: {at_least: 0.55}}\n"


def told(root: Path, path: str) -> Any:
    return json.loads((root / path).read_text(encoding="utf-8"))


def answered(said: str) -> Any:
    """The JSON document among what a command said."""
    return json.loads(said[said.index("{") : said.rindex("}") + 1])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A shop of five columns with an idea of each kind, run once."""
    folder = tmp_path_factory.mktemp("own")
    exports = shops.five(folder / "exports")
    Workshop(folder).do("twinops", "init", "shop", "--from", str(exports / "sales.csv"), "--yes")
    made = Workshop(folder / "shop")
    with (exports / "sales.csv").open(encoding="utf-8", newline="") as file:
        customers = sorted({row[0] for row in csv.reader(file)})[:-1]
    (made.root / "in").mkdir(exist_ok=True)
    visits = pa.table({"household_id": customers, "visits": [n % 17 for n in range(len(customers))]})
    pq.write_table(visits, made.root / "in" / "web_visits.parquet")
    for words in BEGUN.values():
        made.do("twinops", "ideas", "new", *words)
    policy = made.root / "compliance" / "policy.yaml"
    policy.write_text(policy.read_text(encoding="utf-8").replace("gates:\n", ASKED, 1), encoding="utf-8")
    made.do("make", "run", VENV)
    return made


def test_each_idea_does_its_work_and_is_told_of(shop: Workshop) -> None:
    root = shop.root
    evidence = told(root, "reports/evidence.json")
    assert "known_share.share" in {m["name"] for m in evidence["measures"]}
    assert told(root, "data/counts/web_visits/all.json")["taken"] > 0
    assert "source.web_visits" in {f["name"] for f in evidence["facts"]}
    letter = (root / "model_cards" / "twin" / "floor_letter.md").read_text(encoding="utf-8")
    assert "ev-" in letter, "its figure is cited"
    choice = told(root, "reports/measures/champion.json")["facts"]["champion"]["value"]
    assert "own_small_forest" in choice["why"]["activity"]
    assert "own_small_forest" in choice["why"]["spend"]
    status = answered(shop.do("twinops", "status", "--json"))
    assert next(g["outcome"] for g in status["gates"] if g["id"] == "comes_back") in ("passed", "failed")


def test_what_was_loaded_is_recorded_and_the_projects_own_tests_are_green(shop: Workshop) -> None:
    held = {path: told(shop.root, f"reports/code/{stage}.json") for path, stage in {
        "ideas/gates/comes_back.py": "documents",
        "ideas/documents/floor_letter.py": "documents",
        "ideas/sources/web_visits.py": "own_web_visits",
        "ideas/features/eight_weeks.py": "features",
        "ideas/features/big_baskets.sql": "features",
        "ideas/heads/small_forest.py": "choose",
    }.items()}  # fmt: skip
    assert [path for path, record in held.items() if path not in record] == []
    shop.commit("ideas and what they made")
    shop.do("make", "test", VENV)


@pytest.mark.parametrize("path", BEGUN)
def test_an_edit_concerns_exactly_the_stages_that_load_the_file(shop: Workshop, path: str) -> None:
    place = shop.root / path
    before = place.read_text(encoding="utf-8")
    place.write_text(
        before + ("-- another thought\n" if path.endswith(".sql") else "# another thought\n"), encoding="utf-8"
    )
    try:
        status = answered(shop.do("dvc", "status", "--json"))
    finally:
        place.write_text(before, encoding="utf-8")
    stages = yaml.safe_load((shop.root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    holders = {name for name, stage in stages.items() if path in stage.get("do", stage)["deps"]}
    assert {name.partition("@")[0] for name in status} == holders
    assert holders


def test_an_idea_that_is_taken_back_leaves_the_pipeline_as_it_was(shop: Workshop) -> None:
    marked = (shop.root / "dvc.yaml").read_text(encoding="utf-8")
    params = (shop.root / "params.yaml").read_text(encoding="utf-8")
    without = re.sub(r"(?m)^ideas:.*\n(?: +- .*\n)*", "ideas: []\n", params)
    (shop.root / "params.yaml").write_text(without, encoding="utf-8")
    refused = shop.do("twinops", "status", expect=2)
    assert "No gate is called 'comes_back'" in refused
    shop.do("twinops", "ideas", "check")
    assert "ideas/" not in (shop.root / "dvc.yaml").read_text(encoding="utf-8")
    (shop.root / "params.yaml").write_text(params, encoding="utf-8")
    shop.do("twinops", "ideas", "check", expect=0)
    assert (shop.root / "dvc.yaml").read_text(encoding="utf-8") == marked
