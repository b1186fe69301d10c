"""Write the candidate into the ledger: one run per key, with everything needed to trace and to judge it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinops.entities.canonical import to_json
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.findings import Findings
from twinops.params import Params
from twinops.ports import Lineage, Tracking
from twinops.whole_files import write
from twinops.workflows.candidate.files import against_absent, evidence_of, lineage_facts, same_key
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Tracked:
    """The candidate's run."""

    key: str
    run_id: str
    written: bool
    """False when the ledger had it already, as it is."""


def track(places: Places, lineage: Lineage, tracking: Tracking, params: Params) -> Tracked:
    """Find the run of this candidate, or write it.

    A run is brought up to date when the evidence changed under the same key (somebody filled a declaration), or when
    what was recorded with uncommitted changes is committed now.

    Raises:
        DataError: the model file is not here.
        IntegrityError: the evidence belongs to another candidate than the lock file.

    """
    against_absent(places.model)
    measured = evidence_of(places.evidence)
    key = same_key(measured, lineage)
    facts = lineage_facts(lineage, measured)
    known = tracking.find(key, tags=settled(measured, facts))
    if known is not None:
        return Tracked(key, known, written=False)
    record = _kept(places, key, facts, lineage)
    run_id = tracking.record(
        key=key,
        params=flat(params.model_dump(mode="json")),
        metrics=metrics(measured),
        tags=tags(measured, facts, lineage),
        files=_files(places, measured.model, record),
    )
    return Tracked(key, run_id, written=True)


def settled(measured: Evidence, facts: tuple[Fact, ...]) -> dict[str, str]:
    """Tags that a record must have to be left as it is: this evidence and, when all is committed, that it is."""
    clean = {f.name: f.value for f in facts}["git_dirty"] is False
    return {"twinops.evidence": measured.digest, **({"twinops.git.dirty": "false"} if clean else {})}


def tags(measured: Evidence, facts: tuple[Fact, ...], lineage: Lineage) -> dict[str, str]:
    """What a run or version can be searched by."""
    known = {fact.name: fact.value for fact in facts}
    said = {
        "twinops.evidence": measured.digest,
        "twinops.git.revision": known["git_revision"],
        "twinops.git.dirty": known["git_dirty"],
        "twinops.dvc_lock.sha256": lineage.lock_digest(),
        "twinops.lock_matches": known["lock_matches"],
        "twinops.model.md5": lineage.inputs_and_outputs().get("models/twin.json"),
        "twinops.looks.size": measured.value("looks", "size"),
        "twinops.looks.head": measured.value("looks", "head"),
        "mlflow.source.git.commit": known["git_revision"],
    }
    return {name: _word(value) for name, value in said.items() if value is not None}


def metrics(measured: Evidence) -> dict[str, float]:
    """Every measure, and the ends of its interval as `.low` and `.high`."""
    ends = [(m.name, {"": m.value, ".low": m.low, ".high": m.high}) for m in measured.measures]
    return {f"{name}{end}": value for name, values in ends for end, value in values.items() if value is not None}


def flat(values: Mapping[str, Any], *, before: str = "") -> dict[str, Any]:
    """Nested parameters by dotted name.

    >>> flat({"train": {"activity_c": 1.0}, "as_of": "2018-01-01"})
    {'train.activity_c': 1.0, 'as_of': '2018-01-01'}
    """
    out: dict[str, Any] = {}
    for name, value in values.items():
        out |= flat(value, before=f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return out


def _kept(places: Places, key: str, facts: tuple[Fact, ...], lineage: Lineage) -> Path:
    """Leave the lineage beside the project's other scratch, one file per key, and hand it to the run."""
    folder = places.scratch / "lineage" / key
    write(folder / "lineage.json", Findings(facts=facts).to_json())
    write(folder / "md5.json", to_json(lineage.inputs_and_outputs(), indent=1) + "\n")
    return folder


def _files(places: Places, model: str, record: Path) -> dict[str, Path]:
    """What goes into the run, by its place there."""
    files = {
        "reports/evidence.json": places.evidence,
        "reports/figures": places.figure("any").parent,
        "reports/notebooks": places.executed("any").parent,
        f"model_cards/{model}": places.card(model, "any").parent,
        "lineage": record,
        **{f"pipeline/{name}": places.root / name for name in ("dvc.lock", "dvc.yaml", "params.yaml")},
    }
    return {place: path for place, path in files.items() if path.exists()}


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
