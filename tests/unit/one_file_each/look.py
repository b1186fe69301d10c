"""Runs in the scratch copy: what is shown where, as JSON. Its only argument is the folder of a scratch project."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from typer.testing import CliRunner

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.cli._door import app
from twinops.governance.documents import annex_iv
from twinops.governance.policy.limits import read
from twinops.governance.verdicts.approved_description import description
from twinops.governance.verdicts.compare import Side, comparison_markdown
from twinops.governance.verdicts.explain import verdicts_text
from twinops.params import DocumentsParams, SourcesParams, SwitchesParams
from twinops.server.officer import presenting
from twinops.wiring import Project
from twinops.workflows.candidate.status import Status
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.evidence import CandidateFolder
from twinops.workflows.intake import Intake
from twinops.workflows.pipeline.collect_profile import collect_profile
from twinops.workflows.pipeline.documents import documents
from twinops.workflows.places import Places
from twinops.workflows.sources.data_map import data_map


def said(root: Path, *words: str) -> str:
    """What the command prints."""
    return CliRunner().invoke(app, ["--project", str(root), *words]).output


def shown(root: Path) -> dict[str, Any]:
    """Take the source in, measure, judge and write; then look at everything that people see."""
    places, keys = Places(root), MemoryKeys()
    pq.write_table(pa.table({"household_id": range(1, 31), "degrees": range(30)}), root / "thermometers.parquet")
    files = SourcesParams(folder=str(root))
    plane, days = DataPlane(places, DuckDBEngine(threads=1), keys), Project(root).params.features.days
    collect_profile("thermometers", Intake(plane, files, days))
    project = Project(root)
    project.run("warmth_measure")
    lineage: Any = SimpleNamespace(candidate_key=lambda: "c" * 64)
    done = documents(CandidateFolder(places, DocumentsParams(model="twin"), date(2018, 1, 1)), lineage)
    policy = read((places.compliance / "policy.yaml").read_text(encoding="utf-8"))
    card = {path.name: path.read_text(encoding="utf-8") for path in places.card("twin", "README.md").parent.iterdir()}
    came: Any = SimpleNamespace(
        evidence=done.evidence,
        decision=done.decision,
        policy=policy,
        files={"reports/figures/warmth.png": "d" * 64},
    )
    before = Side("nothing", replace(done.evidence, measures=()), done.decision)
    return {
        "documents": card,
        "status": Status(done.evidence, done.decision, None, None).to_dict(),
        "explain": verdicts_text(done.decision),
        "pull_request": comparison_markdown(Side("this", done.evidence, done.decision), before),
        "failing": description(done.evidence, done.decision, policy)["failing"],
        "annex": annex_iv.written(done.evidence, done.decision),
        "with_verdicts": {one.verdict.gate: [p.alt for p in one.pictures] for one in presenting.shown_verdicts(came)},
        "asked_first": [m.name for m in presenting.fairness_and_drift(done.evidence)],
        "data_map": data_map(places, keys=keys, lineage=project.columns).text("csv"),
        "sources": said(root, "sources", "list"),
        "gates": said(root, "gates", "list"),
        "listed_documents": said(root, "documents", "list"),
        "off": SwitchesParams({"thermometers": False}).off("thermometers"),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(shown(Path(sys.argv[1]))))
