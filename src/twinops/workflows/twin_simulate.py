"""Ask one twin what would come if, within what the data, the consumer and the policy allow."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.compute as pc

from twinops.data.days import day_of
from twinops.data.seal import read_sealed
from twinops.errors import DataError, ParamsError
from twinops.governance import influence, policy
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import AgesParams, FeaturesParams
from twinops.ports import Engine, KeyStore
from twinops.twin.simulate import Action, Simulated, simulate
from twinops.workflows.features import standing
from twinops.workflows.one_taste import coupon_chance
from twinops.workflows.one_twin import Known, Opened, known, open_twin
from twinops.workflows.places import Places


def twin_simulate(  # noqa: PLR0913  the injected ports and sections
    who: str,
    action: str,
    purpose: str,
    *,
    places: Places,
    engine: Engine,
    keys: KeyStore,
    grid: FeaturesParams,
    rule: AgesParams,
    as_of: date,
    own: OwnParams = NOTHING_OWN,
) -> Simulated:
    """Answer with a distribution, or with every reason why not: consent, the influence guard, the support of the data.

    Raises:
        DataError: nobody is known by this id, nothing is held about them, or no model and support were made yet.
        ParamsError: the action is not understood, or the policy holds mistakes.
    """
    asked, given, day = Action.parse(action), known(places), day_of(as_of)
    if not places.support.is_file():
        raise DataError("Where the data can answer was not measured yet.", hint="Run `dvc repro twin`.")
    opened = open_twin(
        who,
        places=places,
        engine=engine,
        keys=keys,
        rule=rule,
        day=day,
        decay_days=grid.decay_days,
        law=standing(places, own, as_of),
    )
    against = guarded(opened, asked, purpose, places)
    if not against and opened.state.empty:
        against = ("Nothing is known of this consumer yet, so no what-if can start from it.",)
    if against:
        return Simulated(asked, None, None, None, against)
    return told(opened, given, asked, places)


def told(opened: Opened, given: Known, asked: Action, places: Places) -> Simulated:
    """The answer of the data; for a campaign, with the consumer's own chance to redeem by the coupon head."""
    if given.support is None:
        return Simulated(asked, None, None, None, ("Too few households were seen to answer what-ifs.",))
    found = simulate(given.model, given.support, opened.state, asked, day=opened.day)
    if found.redemption is None:
        return found
    return replace(found, redemption=replace(found.redemption, own=coupon_chance(opened, places, asked.campaign)))


def guarded(opened: Opened, asked: Action, purpose: str, places: Places) -> tuple[str, ...]:
    """What the consumer and the policy say against it."""
    limits = limits_of(places)
    refused = opened.refusal(purpose)
    contacts = contacts_of(opened, places, limits.window_days) if limits is not None else None
    contact = influence.Contact(asked.kind, purpose, contacts, signs_of(opened, places))
    return (*((refused,) if refused else ()), *influence.refusals(limits, contact))


def limits_of(places: Places) -> influence.ContactLimits | None:
    """The policy's section on influence.

    Raises:
        ParamsError: there is no policy, or it holds mistakes.
    """
    return policy.read(_text(places.compliance / "policy.yaml")).influence


def contacts_of(opened: Opened, places: Places, window_days: int) -> int:
    """How many campaigns began for the consumer in the window before the day."""
    batches = places.raw_batches("campaigns")
    if not batches:
        return 0
    starts = read_sealed(batches, dataset="campaigns", keys=opened.keys)["start_day"].to_pylist()
    return sum(opened.day - window_days <= start < opened.day for start in starts)


def signs_of(opened: Opened, places: Places) -> frozenset[str]:
    """Signs of vulnerability that are known today; only ever used to leave somebody alone."""
    found = {"under_age"} if "under_age" in opened.answers.values() else set()
    if places.blend.is_file():
        rows = read_sealed(places.blend, dataset=places.blend.stem, keys=opened.keys)
        newest = rows.filter(pc.equal(rows["cutoff"], pc.max(rows["cutoff"])))
        if newest.num_rows and newest["care_open_cases"][0].as_py():
            found.add("open_complaint")
    return frozenset(found)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ParamsError(f"There is no {path.parent.name}/{path.name}.", hint="Restore it from git.") from None
