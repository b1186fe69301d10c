"""What lies in this folder: the candidate's evidence, and what the lock file and git say of it now."""

from pathlib import Path

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.errors import DataError, IntegrityError
from twinops.ports import Lineage


def evidence_of(path: Path) -> Evidence:
    """The Evidence of a file.

    Raises:
        DataError: there is no such file.
        IntegrityError: it is no Evidence file, or was changed after it was written.

    """
    try:
        return Evidence.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"There is no {path.name}: nothing was measured yet.", hint="Run `make run`.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        what = f"{path.name} is not evidence: {str(problem)[:200]}"
        raise IntegrityError(what, hint="Run `dvc repro` to make it anew.") from None


def lineage_facts(lineage: Lineage, measured: Evidence) -> tuple[Fact, ...]:
    """Commit, uncommitted changes, and whether the lock file fits the folder and this evidence, as of now."""
    fits = measured.key == lineage.candidate_key() and lineage.lock_matches()
    stale = {stage: list(why) for stage, why in lineage.stale_stages().items()}
    return (
        Fact("git_revision", lineage.git_revision(), Kind.MEASURED, "git rev-parse HEAD"),
        Fact("git_dirty", lineage.git_dirty(), Kind.MEASURED, "git status"),
        Fact("lock_stale", stale, Kind.MEASURED, "dvc.lock, dvc.yaml"),
        Fact("lock_matches", fits, Kind.MEASURED, "dvc.lock, files of the folder, evidence key"),
    )


def same_key(measured: Evidence, lineage: Lineage) -> str:
    """The candidate's key, on which evidence and lock file must agree."""
    key = lineage.candidate_key()
    if measured.key != key:
        raise IntegrityError(
            f"The evidence was made for candidate {measured.key[:12]}, the lock file tells of {key[:12]}.",
            hint="Run `dvc repro`; if it changes nothing, `dvc repro --force documents`.",
        )
    return key
