"""A gate, a document, a source and a measure are one file each: put into a copy of the package, each is everywhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from twinops.errors import ParamsError
from twinops.governance.policy import limits as policy

ROOT = Path(__file__).resolve().parents[2]
FILES = Path(__file__).parent / "one_file_each"
HOMES = {
    "warmth_gate": "governance/gates",
    "warmth_letter": "governance/documents",
    "warmth_measure": "workflows/pipeline",
    "thermometers": "data/sources",
}
"""Where each of the four files is put; nothing else of the package is touched."""
ENTRY = "gates:\n  - {id: how_warm, gate: warmth_gate, limits: {at_most: 0.2}}\n"
"""The one line of data: a policy must list a gate, or say why not."""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    package = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT / "src" / "twinops", package / "twinops", ignore=shutil.ignore_patterns("__pycache__"))
    for name, home in HOMES.items():
        shutil.copy(FILES / f"{name}.py", package / "twinops" / home)
    project = tmp_path_factory.mktemp("project")
    for name in (
        "params.yaml",
        "epoch.json",
        "rights.json",
        "corrections.json",
        "persons.json",
        "holds.json",
        "retained.json",
        "pins.yaml",
    ):
        shutil.copy(ROOT / name, project)
    with (project / "pins.yaml").open("a", encoding="utf-8") as pins:
        pins.write(f"twinops: {version('twinops')}\n")
    shutil.copytree(ROOT / "compliance", project / "compliance")
    listed = project / "compliance" / "policy.yaml"
    listed.write_text(listed.read_text(encoding="utf-8").replace("gates:\n", ENTRY, 1), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(FILES / "look.py"), str(project)],
        env={**os.environ, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def part(card: str, title: str) -> str:
    return card.partition(f"\n### {title}\n")[2].partition("\n## ")[0].partition("\n### ")[0]


def test_the_gate_judges_and_is_told_of_wherever_verdicts_are(shown: dict[str, Any]) -> None:
    card = shown["documents"]["appendix.md"]
    bom = json.loads(shown["documents"]["bom.cdx.json"])
    assert [g["outcome"] for g in shown["status"]["gates"] if g["id"] == "how_warm"] == ["failed"]
    for text in (shown["explain"], shown["gates"], shown["pull_request"], shown["documents"]["verdicts.json"]):
        assert "how_warm" in text
    assert "| `how_warm` | **failed** |" in card
    assert "- Who is told too warmly (failed): Too warm" in card
    assert "The gate's own line on warmth" in part(card, "Monitoring")
    claims = {claim["bom-ref"] for claim in bom["declarations"]["claims"]}
    assert "claim:how_warm" in claims
    assert "requirement:how_warm" in {r["bom-ref"] for r in bom["definitions"]["standards"][0]["requirements"]}


def test_a_gate_that_is_watched_reopens_the_assessment_and_stands_on_the_officers_page(shown: dict[str, Any]) -> None:
    assert "how_warm" in shown["failing"]
    assert shown["with_verdicts"]["how_warm"] == ["How warmly each household is told"]
    assert "warmth_share" in shown["asked_first"]


def test_a_gate_nobody_lists_is_a_mistake() -> None:
    text = (ROOT / "compliance" / "policy.yaml").read_text(encoding="utf-8").replace("    gate: coverage\n", "")
    with pytest.raises(ParamsError, match="coverage is not judged"):
        policy.read(text)


def test_the_measure_is_read_in_the_words_of_whoever_measured_it(shown: dict[str, Any]) -> None:
    card, documents = shown["documents"]["appendix.md"], shown["documents"]
    assert "- The share that is told warmly: 0.4 [0.3, 0.5] (n=200 consumers)" in part(card, "Monitoring")
    assert "| `warmth` | How warmly each household is told |" in part(card, "Pictures")
    assert "| `warmth_share` | 0.4 [0.3, 0.5] (n=200 consumers) |" in card
    metrics = json.loads(documents["bom.cdx.json"])["components"][0]["modelCard"]["quantitativeAnalysis"]
    assert [m["value"] for m in metrics["performanceMetrics"] if m["type"] == "warmth_share"] == ["0.4"]
    assert shown["status"]["measures"]["warmth_share"]["value"] == 0.4
    assert "`warmth_share`" in shown["pull_request"]
    assert "warmth share" in shown["annex"]
    held = [f["id"] for s in json.loads(documents["dpia.json"])["sections"] for c in s["contents"] for f in c["fields"]]
    assert "warmth_share" in held


def test_the_document_is_built_listed_and_bound(shown: dict[str, Any]) -> None:
    manifest = json.loads(shown["documents"]["manifest.json"])
    assert shown["documents"]["warmth.md"].startswith("# Warmth\n\n0.4 [0.3, 0.5]")
    assert manifest["documents"]["warmth.md"]["cited"] == 1
    assert manifest["documents"]["warmth.md"]["faults"] == []
    assert "warmth_letter: warmth.md" in shown["listed_documents"]


def test_the_source_is_told_of_wherever_data_are(shown: dict[str, Any]) -> None:
    documents = shown["documents"]
    assert "thermometers (synthetic, from the household itself, by its thermometer, kept 77 days)" in shown["sources"]
    assert "thermometers" in documents["README.md"]
    assert "Thermometer Makers (made up)" in documents["ropa.csv"]
    assert "urn:twinops:process:thermometers:twin_training" in documents["ropa.jsonld"]
    assert "thermometers" in documents["notices.md"]
    assert "thermometers" in documents["croissant.json"]
    assert "dataset:thermometers" in documents["bom.cdx.json"]
    assert "source.thermometers" in documents["dpia.json"]
    rows = [line.split(",") for line in shown["data_map"].splitlines() if line.startswith("raw/thermometers")]
    assert {row[1] for row in rows} == {"sid", "degrees"}
    assert shown["off"]
