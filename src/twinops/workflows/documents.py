"""Gather what was measured and declared into Evidence, judge it, and assemble the candidate's documents."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from twinops import params as params_file
from twinops import plugins
from twinops.data.own.declared import law_of
from twinops.entities.canonical import to_json
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.errors import DataError
from twinops.governance import citations, intended_use, policy, retention
from twinops.governance.decide import Decision, decide
from twinops.governance.manifest import NAME, manifest
from twinops.governance.markdown import inert
from twinops.governance.policy import Policy
from twinops.governance.reading import parse
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import DocumentsParams, SourcesParams
from twinops.ports import Lineage
from twinops.workflows.human_part import human_part, resolution_facts, retention_review, review_fact
from twinops.workflows.human_part import text_of as _text
from twinops.workflows.places import Places

SHELF = "twinops.governance.documents"
SHIPPED = SourcesParams()
RECEIPTS = "transactions"


@dataclass(frozen=True)
class Documented:
    """What was written and decided."""

    evidence: Evidence
    decision: Decision
    files: tuple[str, ...]


def documents(  # noqa: PLR0913  (ports and sections are injected by type)
    places: Places,
    lineage: Lineage,
    named: DocumentsParams,
    as_of: date,
    *,
    own: OwnParams = NOTHING_OWN,
    shipped: SourcesParams = SHIPPED,
) -> Documented:
    """Write `reports/evidence.json` and the documents of the candidate; the manifest comes last.

    Raises:
        ParamsError: a compliance file is absent or holds mistakes.
        DataError: nothing was measured yet, or two stages measured under one name.
        IntegrityError: a document states what no evidence carries; nothing is written then.

    """
    rules = policy.read(_text(places.compliance / "policy.yaml"))
    told = (*source_facts(own, files_of_others=shipped.folder is not None), sheet_fact(own))
    found = gather(places, model=named.model, key=lineage.candidate_key(), as_of=as_of, told=told)
    evidence = reviewed(found, rules, places)
    decision = decide(rules, evidence)
    built = build(evidence, decision)
    _write(places.evidence, evidence.to_json())
    for name, text in built.items():
        _write(places.card(named.model, name), text)
    return Documented(evidence, decision, tuple(built))


def gather(places: Places, *, model: str, key: str, as_of: date, told: tuple[Fact, ...] | None = None) -> Evidence:
    """All findings, and all that is declared in `compliance/` and by the sources."""
    found = [_findings(path) for path in places.all_measures]
    if not found:
        raise DataError("Nothing was measured yet.", hint="Run `make run`, or `dvc repro`.")
    declared = [
        *intended_use.facts(intended_use.read(_text(places.compliance / "intended_use.yaml"))),
        *human_part(places).facts,
        *resolution_facts(places),
        *retention.facts(retention.read(_text(places.compliance / "retention.yaml"))),
        *(declared_sources(places) if told is None else told),
        model_fact(places),
        *library_facts(places),
        *blend_facts(places),
    ]
    try:
        return Evidence(
            model=model,
            key=key,
            as_of=as_of,
            measures=tuple(m for f in found for m in f.measures),
            facts=(*(fact for f in found for fact in f.facts), *declared),
            shown=tuple(s for f in found for s in f.shown),
        )
    except ValueError as problem:
        raise DataError(f"The stages do not fit together: {problem}.", hint="Every measure has one home.") from None


def reviewed(evidence: Evidence, rules: Policy, places: Places) -> Evidence:
    """The same, with whether the approval of the impact assessment stands for it, and what was decided to hold."""
    decided = retention_review(places, evidence.fact(retention.PROPOSAL))
    return evidence.joined(facts=(review_fact(evidence, rules, human_part(places)), decided))


def build(evidence: Evidence, decision: Decision) -> dict[str, str]:
    """Every document by file name, checked for its citations, with the verdicts and, last, the manifest."""
    built: dict[str, str] = {}
    for name in plugins.names(SHELF):
        built |= plugins.load(SHELF, name).build(evidence, decision)
    built["verdicts.json"] = to_json(inert(decision.to_dict()), indent=1) + "\n"
    citations.demand(built, evidence)
    return {**built, NAME: to_json(manifest(built, evidence, decision), indent=1) + "\n"}


def model_fact(places: Places) -> Fact:
    """What kind of model it is: its form, what it foretells, and from what. None when there is no model file."""
    source = f"models/{places.model.name}"
    try:
        told = json.loads(places.model.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Fact("model.family", None, Kind.MEASURED, source)
    family = {
        "form": told["schema"],
        "champion": told["champion"],
        "foretells": sorted(told["intercepts"]),
        "from": sorted(term["name"] for term in told["terms"]),
        "horizon_days": told["horizon_days"],
    }
    return Fact("model.family", family, Kind.MEASURED, source)


def library_facts(places: Places) -> tuple[Fact, ...]:
    """Names and versions of the libraries that stages depend on; nothing when they are not pinned here."""
    path = places.root / "pins.yaml"
    if not path.is_file():
        return ()
    return (Fact("libraries", dict(parse(_text(path), name=path.name)), Kind.MEASURED, path.name),)


def blend_facts(places: Places) -> tuple[Fact, ...]:
    """The blended table as it lies sealed: digest, size and the names of its columns; nothing when there is none."""
    from twinops.data.sealed_file import label_of

    if not places.blend.is_file():
        return ()
    label, content = label_of(places.blend), places.blend.read_bytes()
    columns = ["sid", *(column.name for column in label.columns)] if label else []
    path = places.blend.relative_to(places.root).as_posix()
    value = {
        "path": path,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "columns": columns,
    }
    return (Fact("blend.file", value, Kind.MEASURED, path),)


def declared_sources(places: Places) -> tuple[Fact, ...]:
    """The legal facts of this project's sources, as its `params.yaml` declares them."""
    path = places.root / "params.yaml"
    if not path.is_file():
        return (*source_facts(), sheet_fact())
    said = params_file.read(path)
    return (*source_facts(said.own, files_of_others=said.sources.folder is not None), sheet_fact(said.own))


def source_facts(own: OwnParams = NOTHING_OWN, *, files_of_others: bool = False) -> tuple[Fact, ...]:
    """The legal facts that every source declares, beside its reader or in `params.yaml`.

    With sources of your own nothing is taken from the shipped ones, so nothing is said of them either, unless
    `sources.folder` brings files in their shape.
    """
    found = []
    for name, legal in law_of(own).items():
        mine = own.staged_as(name)
        if own.root and mine is None and not files_of_others:
            continue
        value = {
            **({"own": mine} if mine else {}),
            "controller": legal.controller,
            "provenance": legal.provenance,
            "collected_from": legal.collected_from,
            "bases": {purpose.value: basis.value for purpose, basis in legal.bases.items()},
            "columns": sorted(legal.columns),
            "retention_days": legal.retention_days,
            "notice": legal.notice,
            "synthetic": legal.synthetic,
            "personal_data": legal.personal_data,
        }
        said_in = f"params.yaml: own.{mine}" if mine else f"src/twinops/data/sources/{name}.py"
        found.append(Fact(f"source.{name}", value, Kind.DECLARED, said_in))
    return tuple(found)


def sheet_fact(own: OwnParams = NOTHING_OWN) -> Fact:
    """Whom the receipt lines are about and what they cannot tell, as their source declares it."""
    said, mine = asdict(law_of(own)[RECEIPTS].sheet), own.staged_as(RECEIPTS)
    said_in = f"params.yaml: own.{mine}" if mine else f"src/twinops/data/sources/{RECEIPTS}.py"
    return Fact("data_sheet", {**said, "caveats": list(said["caveats"])}, Kind.DECLARED, said_in)


def _findings(path: Path) -> Findings:
    try:
        return Findings.from_json(_text(path))
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise DataError(f"{path.name} holds no findings: {problem}", hint=f"Run `dvc repro {path.stem}`.") from None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
