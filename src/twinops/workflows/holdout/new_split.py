"""Declare another split, so that other households stand apart: an event in the ledger before anything is drawn."""

from dataclasses import dataclass
from datetime import date

from twinops.errors import ParamsError
from twinops.governance.looks import SPLIT
from twinops.params import HoldoutParams
from twinops.workflows.holdout.open_once import named, said
from twinops.workflows.looks import add, looks_of, split_of
from twinops.workflows.places import Places


@dataclass(frozen=True)
class NewSplit:
    """The split that was declared, and how often the hold-out was opened before it."""

    salt: int
    share: float
    opened_before: int


def new_split(by: str, why: str, day: date, *, places: Places, rule: HoldoutParams) -> NewSplit:
    """Write that `holdout` in params.yaml draws other households from now on. Looks at the same days stay counted.

    Raises:
        ParamsError: it is the split that stands already, or nobody says why.
    """
    looks, split = looks_of(places), split_of(rule)
    if not looks.events or looks.declares(split):
        raise ParamsError(
            f"The split with salt {rule.salt} and share {rule.share:g} is declared already.",
            hint="Change holdout.salt in params.yaml first.",
        )
    add(places, SPLIT, {"split": split, "by": named(by), "why": said("why", why), "day": day.isoformat()})
    return NewSplit(rule.salt, rule.share, sum(e.kind == "opened" for e in looks.events))
