"""What lies in this folder: the candidate's evidence, and what the lock file and git say of it now."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.errors import DataError, IntegrityError
from twinops.ports import Lineage

LAST_STAGE = "documents"
MANY = 3
"""How many stages, and things about each, a sentence names."""


def evidence_of(path: Path) -> Evidence:
    """The Evidence of a file.

    Raises:
        DataError: there is no such file.
        IntegrityError: it is no Evidence file, or was changed after it was written.

    """
    try:
        return Evidence.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        what = f"There is no {path.name}: the pipeline was not run to its end yet."
        raise DataError(what, hint="Run `make run`: it goes on where it stopped, or says what stops it.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        what = f"{path.name} is not evidence: {str(problem)[:200]}"
        raise IntegrityError(what, hint="Run `dvc repro` to make it anew.") from None


def against_absent(model: Path) -> None:
    """A candidate is its bytes: without them nothing is recorded, however much git tells of it.

    Raises:
        DataError: the model file is not in the folder.
    """
    if not model.is_file():
        raise DataError(
            f"There is no {model.name} in {model.parent.name}/: nothing was recorded.",
            hint="Run `make run`: it brings the model file here, or makes it.",
        )


def lineage_facts(lineage: Lineage, measured: Evidence) -> tuple[Fact, ...]:
    """Commit, uncommitted changes, and whether the lock file fits the folder and this evidence, as of now."""
    fits = measured.key == lineage.candidate_key() and lineage.lock_matches()
    stale = {stage: list(why) for stage, why in lineage.stale_stages().items()}
    other = {stage: list(paths) for stage, paths in lineage.ran_otherwise().items()}
    return (
        Fact("git_revision", lineage.git_revision(), Kind.MEASURED, "git rev-parse HEAD"),
        Fact("git_dirty", lineage.git_dirty(), Kind.MEASURED, "git status"),
        Fact("lock_stale", stale, Kind.MEASURED, "dvc.lock, dvc.yaml"),
        Fact("code_ran", other, Kind.MEASURED, "dvc.lock, records of the stages' code"),
        Fact("lock_matches", fits, Kind.MEASURED, "dvc.lock, files of the folder, evidence key"),
    )


def stale(lineage: Lineage, measured: Evidence | None = None) -> str:
    """One sentence on what changed since this was made, or nothing when it is what the folder holds now.

    Without evidence it is about the measures alone, each with its own stage.
    """
    changed = {stage: tuple(why) for stage, why in lineage.changed().items()}
    for stage, made in lineage.stale_stages().items():
        changed[stage] = ("dvc.yaml no longer has it", *made)
    if measured is None:
        changed.pop(LAST_STAGE, None)
    elif not changed and measured.key != lineage.candidate_key():
        return f"Stale: made for candidate {measured.key[:12]}, not for the one that lies here."
    return f"Stale, made before this changed: {_listed(changed)}." if changed else ""


def _listed(changed: Mapping[str, Sequence[str]]) -> str:
    """The first few stages, each with the first few things that changed."""
    told = [f"{stage} ({_few(why)})" for stage, why in list(changed.items())[:MANY]]
    return "; ".join(told) + (f"; and {len(changed) - MANY} more stages" if len(changed) > MANY else "")


def _few(why: Sequence[str]) -> str:
    return ", ".join(why[:MANY]) + (f" and {len(why) - MANY} more" if len(why) > MANY else "")


def same_key(measured: Evidence, lineage: Lineage) -> str:
    """The candidate's key, on which evidence and lock file must agree."""
    key = lineage.candidate_key()
    if measured.key != key:
        raise IntegrityError(
            f"The evidence was made for candidate {measured.key[:12]}, the lock file tells of {key[:12]}.",
            hint="Run `dvc repro`; if it changes nothing, `dvc repro --force documents`.",
        )
    return key
