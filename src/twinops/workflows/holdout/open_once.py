"""Open the final hold-out for the candidate that lies here: one event in the ledger, written before any figure is."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from twinops.errors import DataError, IntegrityError, ParamsError
from twinops.governance.looks import OPENED
from twinops.params import EvaluateParams, HoldoutParams
from twinops.ports import Lineage
from twinops.workflows.learning import Learning
from twinops.workflows.looks import add, candidate_of, looks_of, split_of

RESTS_ON = ("features", "choose", "train", "evaluate")
"""Stages whose results a look is about: it is not spent on a candidate that is made anew the next moment."""
FEWEST_LETTERS, MOST_LETTERS = 20, 500


@dataclass(frozen=True)
class Opened:
    """Which look at these days it is, and whether it was written now or before."""

    number: int
    written: bool
    earlier: int


@dataclass(frozen=True)
class Opening:
    """Who opens it, why, on which day; `again` is the written reason for a second look at the same days."""

    by: str
    why: str
    day: date
    again: str = ""


def open_once(
    opening: Opening, *, learning: Learning, held_out: EvaluateParams, rule: HoldoutParams, lineage: Lineage
) -> Opened:
    """Write the event; the next run measures. The same candidate opened again is the same look.

    Raises:
        DataError: nobody stands apart here, and why.
        IntegrityError: the candidate is not what lies here, or the ledger was changed.
        ParamsError: no reason, or these days were looked at before and nobody says why they are looked at again.
    """
    places, days, split = learning.plane.places, held_out.cutoffs, split_of(rule)
    looks, candidate = looks_of(places), candidate_of(learning, days)
    earlier = looks.openings(days)
    if looks.knows(OPENED, candidate):
        return Opened(len(earlier), written=False, earlier=len(earlier))
    _against_closed(learning)
    _against_stale(lineage)
    reasons = {"why": said("why", opening.why)}
    if earlier:
        reasons["why"] += f" Again, because: {said('again', opening.again, so_often=len(earlier))}"
    number = len(earlier) + 1
    about: dict[str, Any] = {"candidate": candidate, "days": list(days), "split": split, "number": number}
    about |= {"revision": lineage.git_revision(), "by": named(opening.by), "day": opening.day.isoformat(), **reasons}
    add(places, OPENED, about)
    return Opened(number, written=True, earlier=len(earlier))


def said(option: str, text: str, *, so_often: int = 0) -> str:
    """A reason with some substance, on one line."""
    words = " ".join(text.split())
    if FEWEST_LETTERS <= len(words) <= MOST_LETTERS:
        return words
    before = f"These days were looked at {so_often} time(s) before, so a reason is asked for. " if so_often else ""
    raise ParamsError(
        f"{before}`--{option}` has {len(words)} letters; {FEWEST_LETTERS} to {MOST_LETTERS} are read by others.",
        hint="Say in a sentence or two what the figure is needed for.",
    )


def named(by: str) -> str:
    """Who does it, on one line."""
    words = " ".join(by.split())
    if not 1 <= len(words) <= 100:
        raise ParamsError("`--by` names nobody.", hint="Write the account or office that opens it.")
    return words


def _against_closed(learning: Learning) -> None:
    split = next((f.value for f in learning.plane.places.kept("population").facts if f.name == "holdout.split"), None)
    if not isinstance(split, dict):
        raise DataError("Nobody was set apart yet.", hint="Run `make run`.")
    if split["why_not"]:
        raise DataError(f"There is no final hold-out to open. {split['why_not']}", hint="Collect more consumers.")


def _against_stale(lineage: Lineage) -> None:
    other = {stage: tuple(why) for stage, why in lineage.changed().items() if stage in RESTS_ON}
    if other:
        stage, why = next(iter(other.items()))
        raise IntegrityError(
            f"The hold-out stays closed: {stage} was made before {why[0]} changed, and a look counts once.",
            hint="Run `make run` first.",
        )
