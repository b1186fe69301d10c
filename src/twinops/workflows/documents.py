"""Gather what was measured and declared into Evidence, judge it, and assemble the candidate's documents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from twinops import plugins
from twinops.data.own.declared import law_of
from twinops.entities.canonical import to_json
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.errors import DataError, ParamsError
from twinops.governance import citations, dpia, intended_use, policy, retention
from twinops.governance.decide import Decision, decide
from twinops.governance.manifest import NAME, manifest
from twinops.governance.reading import MAX_BYTES
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import DocumentsParams, SourcesParams
from twinops.ports import Lineage
from twinops.workflows.places import Places

SHELF = "twinops.governance.documents"
SHIPPED = SourcesParams()


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
    told = source_facts(own, files_of_others=shipped.folder is not None)
    evidence = gather(places, model=named.model, key=lineage.candidate_key(), as_of=as_of, told=told)
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
        *dpia.facts(dpia.read(_text(places.compliance / "dpia.yaml"))),
        *retention.facts(retention.read(_text(places.compliance / "retention.yaml"))),
        *(source_facts() if told is None else told),
    ]
    try:
        return Evidence(
            model=model,
            key=key,
            as_of=as_of,
            measures=tuple(m for f in found for m in f.measures),
            facts=(*(fact for f in found for fact in f.facts), *declared),
        )
    except ValueError as problem:
        raise DataError(f"The stages do not fit together: {problem}.", hint="Every measure has one home.") from None


def build(evidence: Evidence, decision: Decision) -> dict[str, str]:
    """Every document by file name, checked for its citations, with the verdicts and, last, the manifest."""
    built: dict[str, str] = {}
    for name in plugins.names(SHELF):
        built |= plugins.load(SHELF, name).build(evidence, decision)
    built["verdicts.json"] = to_json(decision.to_dict(), indent=1) + "\n"
    citations.demand(built, evidence)
    return {**built, NAME: to_json(manifest(built, evidence, decision), indent=1) + "\n"}


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


def _findings(path: Path) -> Findings:
    try:
        return Findings.from_json(_text(path))
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise DataError(f"{path.name} holds no findings: {problem}", hint=f"Run `dvc repro {path.stem}`.") from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(4 * MAX_BYTES).decode()
    except FileNotFoundError:
        raise ParamsError(f"There is no {path.parent.name}/{path.name}.", hint="Restore it from git.") from None
    except UnicodeDecodeError:
        raise ParamsError(f"{path.parent.name}/{path.name} is no UTF-8 text.", hint="Mend the file.") from None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
