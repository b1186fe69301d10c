"""Refuse a candidate that cannot be traced to committed code, data and parameters.

The facts are looked up when the candidate is registered: files of the pipeline never hold a git revision, so that the
same inputs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Verdict, about, failed, missing, passed
from twinops.governance.reading import Record

RULE = "GDPR art. 5(2); AI Act art. 12 (Reg. (EU) 2024/1689)"
QUESTION = "Can the candidate be traced to committed code, data and parameters?"
FEW = 4
FACTS = ("git_revision", "git_dirty", "lock_matches")
LATER = "It is judged after the pipeline: `twinops status` shows the answer, `twinops register` records it."


class Limits(Record):
    """Nothing to set."""


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return FACTS


def check(evidence: Evidence, _limits: Limits) -> Verdict:
    """Every change must be committed and the lock file must fit what lies in the folder."""
    found = [evidence.fact(name) for name in FACTS]
    unknown = [name for name, fact in zip(FACTS, found, strict=True) if fact is None or fact.value is None]
    revision, dirty, matches = (fact.value if fact else None for fact in found)
    if unknown:
        return missing(f"Not in this evidence: {', '.join(unknown)}.", LATER)
    figures = about(found[0])
    where = f"The candidate was made at git revision {str(revision)[:12]}"
    if dirty is not False:
        return failed(
            f"{where}, with changes that are not committed.",
            "Commit the changes (`git status` lists them), then `make run`.",
            **figures,
        )
    stale = _stale(evidence)
    if matches is not True and stale:
        named = _named(stale)
        return failed(
            f"{where}, but dvc.lock still holds {named}, which dvc.yaml no longer has.",
            f"DVC neither runs nor forgets it. {_mend(stale)} Then `dvc repro`, commit dvc.lock, `make run`.",
            **figures,
        )
    other = evidence.table("code_ran")
    if matches is not True and other:
        return failed(
            f"{where}, but {_named(other)} ran other code than dvc.lock records.",
            f"Run `dvc repro --force{_short(other)}` with this folder's own environment, commit dvc.lock.",
            **figures,
        )
    if matches is not True:
        return failed(
            f"{where}, but dvc.lock does not fit the files of this folder.",
            "Run `dvc repro`, commit dvc.lock, then `make run`.",
            **figures,
        )
    return passed(f"{where}, all of it committed, and dvc.lock fits.", **figures)


def _named(stages: Iterable[str]) -> str:
    """A few by name; a sentence with forty names has no end."""
    names = sorted(stages)
    more = f" and {len(names) - FEW} other stages" if len(names) > FEW else ""
    return ", ".join(f"`{name}`" for name in names[:FEW]) + more


def _short(stages: Iterable[str]) -> str:
    names = sorted(stages)
    return f" {' '.join(names)}" if len(names) <= FEW else ""


def _stale(evidence: Evidence) -> dict[str, tuple[str, ...]]:
    """Entries of stages that are gone, each with what it made; where it was not looked up, none."""
    fact = evidence.fact("lock_stale")
    found = fact.value if fact and isinstance(fact.value, dict) else {}
    return {str(name): tuple(map(str, made)) for name, made in sorted(found.items()) if isinstance(made, (list, tuple))}


def _mend(stale: dict[str, tuple[str, ...]]) -> str:
    """How to remove them: the entry, and what only it made."""
    made = sorted({path for paths in stale.values() for path in paths})
    entries = _named(f"{name}:" for name in stale)
    left = f" and, if nothing else makes it, delete {', '.join(f'`{p}`' for p in made[:6])}" if made else ""
    more = f" and {len(made) - 6} more" if len(made) > 6 else ""
    return f"Take the entry {entries} below `stages:` out of dvc.lock{left}{more}."
