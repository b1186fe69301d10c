"""Take over what one person made without a server: record versions, adopt evidence, stamp *roles not separated*."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from mlflow.prompt.constants import IS_PROMPT_TAG_KEY
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion, SqlRegisteredModelTag
from sqlalchemy import Select, select

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.findings import Findings
from twinops.errors import TwinopsError
from twinops.server.officer import evidence
from twinops.server.officer.evidence import CompletedEvidence, Handed
from twinops.server.registry import callers as actors
from twinops.server.registry.records import Recorded
from twinops.server.registry.store import GovernedStore
from twinops.server.registry.tables import VERSION

_TAKEN = ("model_cards", "reports")
_LINEAGE = "lineage/lineage.json"


def adopt(store: GovernedStore) -> tuple[list[str], list[str]]:
    """What was adopted, and what could not be and why, in sentences."""
    done, left = [], []
    who = local()
    with store.reading() as now:
        found = now.session.execute(_unrecorded()).all()
    for name, version, source in found:
        if not str(source).startswith(("file:", "/")):
            left.append(f"{name} version {version}: it was not made in this folder without a server")
            continue
        with actors.acting(who):
            try:
                made = store.adopt(name, version, registrar=who)
                told = "with its evidence" if _evidence(store, made) else "without evidence"
                done.append(f"{name} version {version} {told}")
            except Exception as problem:  # one version that cannot be adopted must not stop the server
                why = problem.what if isinstance(problem, TwinopsError) else str(problem)
                left.append(f"{name} version {version}: {why[:200]}")
    return done, left


def _unrecorded() -> Select[Any]:
    """Versions that MLflow has and our records do not, prompts left out."""
    model, tag = SqlModelVersion, SqlRegisteredModelTag
    ours = (VERSION.c.deleted == 0) & (VERSION.c.name == model.name) & (VERSION.c.version == model.version)
    prompt = select(tag.name).where(tag.name == model.name, tag.key == IS_PROMPT_TAG_KEY).exists()
    every: Select[Any] = select(*(model.__table__.c[name] for name in ("name", "version", "source")))
    left = every.outerjoin(VERSION, ours).where(
        VERSION.c.uid.is_(None), model.current_stage != "Deleted_Internal", ~prompt
    )
    return left.order_by(model.name, model.version)


def local() -> str:
    """The person at this machine, as an actor."""
    return f"local:{getpass.getuser()}"


def _evidence(store: GovernedStore, made: Recorded) -> bool:
    """Adopt what lies in the version's run, if it is evidence about this very file."""
    run = _run_folder(store, made)
    if run is None or not (run / "reports" / "evidence.json").is_file():
        return False
    files = _files(run)
    measured = Evidence.from_json(files["reports/evidence.json"].decode())
    given = CompletedEvidence.of(measured, _handed(run, files, made), name=made.name, lineage=_lineage(run))
    with store.writing() as log:
        evidence.keep(store, log, made, given)
    return True


def _run_folder(store: GovernedStore, made: Recorded) -> Path | None:
    """Artifacts of the run: the folder `artifacts` above the version's own."""
    parts = made.place.split("/")
    if "artifacts" not in parts:
        return None
    return store.home.artifacts.joinpath(*parts[: parts.index("artifacts") + 1])


def _files(run: Path) -> dict[str, bytes]:
    wanted = [p for top in _TAKEN for p in sorted((run / top).rglob("*")) if p.is_file() and p.suffix != ".ipynb"]
    return {p.relative_to(run).as_posix(): p.read_bytes() for p in wanted if p.stat().st_size <= evidence.MAX_FILE}


def _handed(run: Path, files: dict[str, bytes], made: Recorded) -> Handed:
    known = {fact.name: fact.value for fact in _lineage(run)}
    data = next((d for n, d in made.files.items() if n.endswith("/twin.json") or n == "twin.json"), "")
    return Handed(
        files=files,
        commit=known.get("git_revision"),
        dirty=known.get("git_dirty"),
        lock_matches=known.get("lock_matches"),
        base=None,
        authors=(),
        model_sha256=data,
        forced=False,
    )


def _lineage(run: Path) -> tuple[Fact, ...]:
    path = run / _LINEAGE
    return Findings.from_json(path.read_text(encoding="utf-8")).facts if path.is_file() else ()
