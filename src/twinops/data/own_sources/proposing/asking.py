"""What no file tells and only people know: each with why, what holds while it is open, and where it goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from twinops.data.own_sources.cell_values import NO_CURRENCY
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing import more_files, pricing
from twinops.data.own_sources.proposing.drafting import Draft, Said
from twinops.data.own_sources.recognising import DateFormat
from twinops.entities.consent import LegalBasis, Purpose
from twinops.own_kinds import REPLACES, form
from twinops.own_sections import OPEN

BASES = (LegalBasis.CONSENT.value, LegalBasis.CONTRACT.value, LegalBasis.LEGITIMATE_INTEREST.value, OPEN)
FILE = "params.yaml"
WHOSE = ("household_id", REPLACES)
"""Columns that say whom a row is about, and nothing of them."""
_DISCOUNTS = {
    pricing.TO_TAKE_OFF: "it is taken off what the line says",
    pricing.TAKEN_OFF: "the line is read as what was paid",
}
NONE = "none"
NOT_PROMOTED = "nothing can be promoted"


@dataclass(frozen=True)
class Question:
    """One thing to be said; `about` is a field of `Said`. Where nobody is asked, `default` holds."""

    about: str
    text: str
    default: str
    options: tuple[str, ...] = ()
    why: str = ""
    until: str = ""
    """What holds once somebody was asked and left it open."""
    where: str = ""
    """File and key in which the answer is written."""
    form: Literal["words", "days", "person", "currency", "zone"] = "words"

    @property
    def left(self) -> str:
        """What stands once somebody was asked and said nothing: of a legal fact never more than `open`."""
        return OPEN if OPEN in self.options else self.default

    @property
    def meanwhile(self) -> str:
        """What holds where nobody was asked."""
        return self.until if self.default == self.left else f"{self.default.replace('_', ' ')}, as the files read"


def questions(sales: Draft, own: Mapping[str, Mapping[str, Any]], said: Said, dates: DateFormat) -> Iterator[Question]:
    """How the sales are written, as far as nothing in them decides; then what the law asks of each source."""
    yield from _of_the_file(sales, own["sales"], said, dates)
    yield from _of_all(own, said)
    yield from _of_bases({name: body for name, body in own.items() if form(body["kind"]).personal}, said)


def _of_the_file(sales: Draft, body: Mapping[str, Any], said: Said, dates: DateFormat) -> Iterator[Question]:
    money = body["money"]
    if len(sales.currencies) > 1 and not said.currency:
        listed = ", ".join(f"{code} {share:.1%}" for code, share in sales.currencies.items())
        yield Question(
            "currency",
            f"Amounts are in several currencies ({listed}), which are not added up. Which one is to be read?",
            money["currency"],
            tuple(sales.currencies),
            why="a sum of several currencies is none, and no rate is known here",
            until=f"lines in {money['currency']} are read, and the others left out and counted",
            where=_at("sales", "only"),
        )
    elif not said.currency and money["currency"] == NO_CURRENCY:
        yield Question(
            "currency",
            "In which currency are the amounts (ISO 4217, such as EUR)?",
            NO_CURRENCY,
            why="no sign or name beside the amounts tells it",
            until=f"amounts are shown in {NO_CURRENCY}, which is none",
            where=_at("sales", "money.currency"),
            form="currency",
        )
    if dates.or_else and not said.date:
        yield Question(
            "date",
            "Which comes first in the dates?",
            dates.format,
            (dates.format, dates.or_else),
            why="both read every cell: nothing in the file decides",
            until=f"days are read as {dates.format}; if that is wrong, all that is learned of time is wrong",
            where=_at("sales", "time.format"),
        )
    if "discount" in sales.asks:
        yield Question(
            "discount",
            "Is the discount off the price or amount already, or still to be taken off?",
            money["discount"],
            (pricing.TO_TAKE_OFF, pricing.TAKEN_OFF),
            why="nothing in the file decides, and what was paid follows from it",
            until=_DISCOUNTS[money["discount"]],
            where=_at("sales", "money.discount"),
        )
    if "discount_as" in sales.asks:
        default = money.get("discount_as", "amount")
        yield Question(
            "discount_as",
            "How is a discount written: an amount of the line or of a piece, per cent, or a fraction (0.1)?",
            default,
            pricing.WAYS,
            why="nothing in the file decides, and what was paid follows from it",
            until=f"it is read as {default.replace('_', ' ')}",
            where=_at("sales", "money.discount_as"),
        )
    if sales.unknown and not said.uncounted:
        listed = "; ".join(
            f"{printable(theirs)}: {', '.join(f'{printable(w)} {share:.1%}' for w, share in shares.items())}"
            for theirs, shares in sales.unknown.items()
        )
        yield Question(
            "uncounted",
            f"Which of these rows are no purchases ({listed}): their words, with commas between?",
            NONE,
            why="taxes, deposits and vouchers are no sales, and no word list knows what these stand for",
            until="all of them count as purchases",
            where=_at("sales", "only"),
        )
    if not said.zone and dates.hours:
        yield Question(
            "zone",
            "In which time zone does the shop's clock run (such as Europe/Berlin)?",
            "UTC",
            why="receipts have hours, and a day ends at the shop's midnight",
            until="UTC is taken",
            where=_at("sales", "time.zone"),
            form="zone",
        )


def _of_all(own: Mapping[str, Mapping[str, Any]], said: Said) -> Iterator[Question]:
    """Facts that mostly hold of all files alike; one answer is written under each."""
    there = [name for name, body in own.items() if form(body["kind"]).personal]
    if not said.controller:
        yield Question(
            "controller",
            "Who is responsible for the data (GDPR art. 4(7)), by name and form?",
            OPEN,
            why="somebody answers for the data, and the documents name them",
            until=f"the documents name nobody, and {NOT_PROMOTED}",
            where=_under("controller", there),
        )
    if not said.collected_from:
        yield Question(
            "collected_from",
            "From whom, and how, were the data collected (such as: the customer at the till, by loyalty card)?",
            OPEN,
            why="whoever asks is told (GDPR art. 15(1)(g)), and what came from others owes its own notice (art. 14)",
            until=f"an access request cannot be answered in full, and {NOT_PROMOTED}",
            where=_under("collected_from", there),
        )
    if not said.notice:
        yield Question(
            "notice",
            "Which privacy notice were these people given (GDPR arts. 13, 14), by name and date?",
            OPEN,
            why="people must have been told what their data are used for",
            until=f"the documents name no notice, and {NOT_PROMOTED}",
            where=_under("notice", there),
        )
    if said.retention_days is None:
        yield Question(
            "retention_days",
            "For how many days may a row be kept (GDPR art. 5(1)(e)): 1 to 3650?",
            OPEN,
            why="`twinops retention run` erases what is older",
            until=f"no row is erased for its age, and {NOT_PROMOTED}",
            where=_under("retention_days", there),
            form="days",
        )


def _of_bases(own: Mapping[str, Mapping[str, Any]], said: Said) -> Iterator[Question]:
    """A basis for each thing that the data may be used for; opt-ins tell what people were asked, and no basis."""
    answered = "the opt-ins tell what people answered, not what the use rests on" if "optins" in own else ""
    signed = "legitimate_interest counts once it is signed for in compliance/interests.yaml"
    told = own["sales"]["legal"]["bases"]
    bases: Mapping[str, str] = {} if told == OPEN else told
    if not said.basis:
        yield Question(
            "basis",
            "On which legal basis may purchases train and score a twin (GDPR art. 6(1))?",
            bases.get(Purpose.TRAINING.value, OPEN),
            BASES,
            why="; ".join(filter(None, ("every use of a person's data rests on one", answered, signed))),
            until="all runs as a trial on this machine: who refused is out, who never answered is in, nobody gets an "
            f"offer, and {NOT_PROMOTED}",
            where=_under("bases", _serving(own, Purpose.TRAINING)),
        )
    if not said.offers_basis:
        yield Question(
            "offers_basis",
            "On which legal basis may customers be sent offers (direct marketing; GDPR arts. 6(1), 21(2))?",
            bases.get(Purpose.OFFERS.value, OPEN),
            BASES,
            why="; ".join(filter(None, ("an offer is another use than a prediction", answered))),
            until="nobody is sent an offer, so the gates fairness and influence have no decision to judge",
            where=_under("bases.offers", _serving(own, Purpose.OFFERS) or ["sales"]),
        )
    if "customers" in own and not said.groups_basis:
        named = ", ".join(c.replace("_", " ") for c in own["customers"]["columns"] if c not in WHOSE) or "nothing"
        yield Question(
            "groups_basis",
            f"On which legal basis may {Path(own['customers']['path']).name} ({named}) be used to assess whether "
            "groups are treated alike (GDPR art. 6(1))?",
            OPEN,
            BASES,
            why="profiles are read for this alone; the gates fairness and influence compare those groups",
            until="nobody is assessed: the gates fairness and influence answer *missing* once there are offers, and "
            f"{NOT_PROMOTED}",
            where=_under("bases.bias_assessment", ["customers", "sales"]),
        )
    written = [name for name in own if name in more_files.WRITTEN]
    if written and not said.texts_basis:
        yield Question(
            "texts_basis",
            f"On which legal basis may {', '.join(n.replace('_', ' ') for n in written)} be read for the twin "
            "(what people wrote, and by what they are found; GDPR art. 6(1))?",
            OPEN,
            BASES,
            why="nobody agrees to be read by buying",
            until=f"they are read in the trial only, and {NOT_PROMOTED}",
            where=_under("bases", written),
        )
    if "panel" in own and not said.panel_basis:
        yield Question(
            "panel_basis",
            "On which legal basis may panelists' answers train the twin (GDPR art. 6(1))?",
            OPEN,
            BASES,
            why="panelists agreed to something else than customers did",
            until=f"they are used in the trial only, and {NOT_PROMOTED}",
            where=_at("panel", "legal.bases"),
        )


def _serving(own: Mapping[str, Mapping[str, Any]], purpose: Purpose) -> list[str]:
    """Sources about customers whose rows serve it: one word is written under each."""
    asked_apart = (*more_files.WRITTEN, "panel")
    uses = {n: {p for listed in body["legal"]["purposes"].values() for p in listed} for n, body in own.items()}
    return [name for name, used in uses.items() if purpose.value in used and name not in asked_apart]


def _at(source: str, key: str) -> str:
    return f"{FILE}: own.{source}.{key}"


def _under(key: str, sources: list[str]) -> str:
    """One answer for several files; where one of them differs, it is changed there."""
    first, *others = sources
    return _at(first, f"legal.{key}") + (f", and the same under {', '.join(others)}" if others else "")
