"""Ask one twin what would come if, within what the data, the consumer and the policy allow."""

from dataclasses import replace

from twinops.errors import DataError
from twinops.governance.law import contact_limits
from twinops.twin.answers import what_if
from twinops.twin.answers.what_if import Action, Simulated
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of
from twinops.workflows.twin.contacts import complaining, lately
from twinops.workflows.twin.open import Consumer, Opened, Opener
from twinops.workflows.twin.tastes import coupon_chance


def simulate(who: str, action: str, purpose: str, *, opener: Opener) -> Simulated:
    """Answer with a distribution, or with every reason why not: consent, the influence guard, the support of the data.

    Raises:
        DataError: nobody is known by this id, nothing is held about them, or no model and support were made yet.
        ParamsError: the action is not understood, or the policy holds mistakes.
    """
    asked = Action.parse(action)
    places = opener.places
    if places.model.is_file() and not places.support.is_file():  # without a model there is more to say than this
        raise DataError("Where the data can answer was not measured yet.", hint="Run `dvc repro twin`.")
    opened = opener.open(who)
    against = guarded(opened.consumer, asked, purpose, places)
    if not against and opened.twin.state.empty:
        against = ("Nothing is known of this consumer yet, so no what-if can start from it.",)
    found = Simulated.refusal(asked, *against) if against else told(opened, asked, places)
    return opener.words.told(found)


def told(opened: Opened, asked: Action, places: Places) -> Simulated:
    """The answer of the data; for a campaign, with the consumer's own chance to redeem by the coupon head."""
    found = what_if.simulate(opened.twin, asked)
    if found.redemption is None:
        return found
    return replace(found, redemption=replace(found.redemption, own=coupon_chance(opened, places, asked.campaign)))


def guarded(consumer: Consumer, asked: Action, purpose: str, places: Places) -> tuple[str, ...]:
    """What the consumer and the policy say against it."""
    limits = policy_of(places).influence
    refused = consumer.refusal(purpose)
    contacts = contacts_of(consumer, limits.window_days) if limits is not None else None
    contact = contact_limits.Contact(asked.kind, purpose, contacts, signs_of(consumer, places))
    return (*((refused,) if refused else ()), *contact_limits.refusals(limits, contact))


def contacts_of(consumer: Consumer, window_days: int) -> int:
    """How many campaigns began for the consumer in the window before the day."""
    return lately(consumer.tables, day=consumer.day, window_days=window_days).get(consumer.sid, 0)


def signs_of(consumer: Consumer, places: Places) -> frozenset[str]:
    """Signs of vulnerability that are known today; only ever used to leave somebody alone."""
    # AI Act art. 5(1)(b), Directive 2005/29/EC art. 5(3)
    found = {"under_age"} if "under_age" in consumer.answers.values() else set()
    return frozenset(found | ({"open_complaint"} if consumer.sid in complaining(consumer.tables, places) else set()))
