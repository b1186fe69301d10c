"""Tell by its columns what a file around the sales is: campaigns, who got them, redemptions, products or a panel.

Which words columns go by is said in `column_words.yaml`, and how their cells look by the form of the kind. What a kind
needs that no file tells (who looked through the products) is asked as the law is: it stays open.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from shlex import quote
from typing import Any

from twinops.data.consent import special_categories, special_words
from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.customer_number import AS_WRITTEN, NumberForm
from twinops.data.own_sources.files import exports
from twinops.data.own_sources.proposing import request_words, rows_that_count
from twinops.data.own_sources.proposing.addresses import NO_ADDRESSES, Addresses
from twinops.data.own_sources.proposing.drafting import (
    NOTHING_SAID,
    TWIN,
    Choice,
    Draft,
    Said,
    Trouble,
    Troubled,
    column_option,
    draft_of,
    read_as,
    take_said,
    trouble,
)
from twinops.data.own_sources.proposing.sampling import Sampled, every_cell
from twinops.data.own_sources.recognising import (
    DateFormat,
    NumberNotation,
    born,
    date_format,
    fit,
    number_notation,
    numbers,
    of_birth,
    of_what,
    parts_of,
    words,
)
from twinops.data.texts import language
from twinops.entities.consent import Purpose
from twinops.entities.demographics import is_special
from twinops.own_kinds import Form, form
from twinops.own_sections import CLOCKS, OPEN, MoneyParams

WRITTEN = ("comments", "service", "social", "accounts", "registrations")
"""Kinds that hold what people wrote, and by what they are found again."""
_KNOWN = 0.3
"""A column holds customers, or articles, where so many of its ids stand in the sales."""
_FEW_KNOWN = 0.05
"""The same of customers, where its name says so, too."""
_WANTS = {
    "campaigns": "a row of it is a campaign, and no customer stands in several",
    "service": "it needs who asked (a customer or an account), and a topic, an outcome or a day of closing",
    "comments": "it needs who wrote (a customer or an account), and the text",
    "registrations": "it needs a name, an address, a phone number or a handle, and a row a customer",
    "panel": "it needs something that was asked: answers on scales, or what people said of themselves",
}
"""What tells a kind beside the columns that it needs."""
_ROW_A_CUSTOMER = 0.9
"""A few customers stand twice in most lists."""
LISTS = "optouts"
"""The kind of lists of who objected, of which there may be several."""
_WITH_ADDRESSES = ("registrations", "accounts")
"""Kinds by which accounts are found: they hold addresses of their own."""
_WEEKS = (
    *("weeks", "wochen", "semaines", "semanas", "settimane", "weken"),
    *("veckor", "uger", "uker", "viikossa", "tygodnie", "tydny"),
)
_NICE = ((1, 5), (1, 7), (0, 10), (1, 10), (0, 100))
"""Ends that scales of whole numbers mostly have."""
_MOST_SCALES, _HIGHEST = 40, 1_000
"""What goes higher is a number of something, such as a postcode, and no answer on a scale."""


@dataclass(frozen=True)
class Shop:
    """What is known from the sales: ids of customers (in the form of `numbers`) and articles, currency, last day."""

    said: Said
    customers: frozenset[str]
    articles: frozenset[str]
    currency: str
    last: date
    numbers: NumberForm = AS_WRITTEN
    addresses: Addresses = NO_ADDRESSES

    @property
    def last_year(self) -> int:
        """The year of the last day."""
        return self.last.year


def kinds() -> tuple[str, ...]:
    """Kinds that are recognised; where a file may be two, the first."""
    return tuple(words()["files"])


def proposed(told: str, shop: Shop) -> tuple[Draft, dict[str, Any]]:
    """The draft and the declaration of a file, said as `FILE` or `KIND=FILE`.

    Raises:
        DataError: it cannot be read, or is of no kind that is known.
    """
    kind, path = _named(told)
    kind = kind or next((k for k in kinds() if shop.said.of(k) and _has_all(path, shop.said.of(k))), None)
    if kind in (None, "social") and _holds_exports(path):
        return _archives("social", path, shop)
    found = {
        k: draft
        for k in ((kind,) if kind else kinds())
        if (draft := _Kind(k, shop).draft(path, said=bool(kind))) is not None
    }
    if not found:
        raise Troubled(_unlike_any(kind, path, shop))
    kind, draft = next(iter(found.items()))
    return draft, {"kind": kind} | _Kind(kind, shop).body(draft)


def _has_all(path: Path, columns: Mapping[str, str]) -> bool:
    return not path.is_dir() and set(columns.values()) <= set(draft_of("file", path).file.cells)


def _unlike_any(kind: str | None, path: Path, shop: Shop) -> Trouble:
    """What the file lacks of the kind it was said to be, or of the one it is most like, and how to say it."""
    what = (
        f"it is not a file of {kind}, or holds no record"
        if kind
        else f"it is not of a kind that is known ({', '.join(kinds())})"
    )
    tried = [(_Kind(k, shop), _Kind(k, shop).mapped(path)) for k in ((kind,) if kind else kinds())]
    for one, draft in sorted(tried, key=lambda t: (len(t[0].lost(t[1])) - len(t[1].columns), t[0].name)):
        lost = one.lost(draft)
        ways = one.filled(draft)
        if ways and len(draft.columns) > len(lost):
            named = [] if kind else [f"--also {quote(f'{one.name}={path}')}"]
            return trouble(draft, f"{what}; of {one.name} it lacks {', '.join(lost)}.", *named, *ways)
    one, draft = tried[0]
    lost = one.lost(draft)
    lacks = f"; it lacks {', '.join(lost)}" if lost else f"; {_WANTS[one.name]}" if one.name in _WANTS else ""
    return trouble(draft, f"{what}{lacks if kind else ''}.")


def second_of(draft: Draft, first: Draft, shop: Shop) -> Trouble:
    """A second file that looks like one kind, with other columns than the first: what one of them may be instead."""
    mine, other = (_most_like(d.file.path, [k for k in kinds() if k != draft.name], shop) for d in (draft, first))
    ways = [f"--also {quote(f'{k}={d.file.path}')}" for d, named in ((draft, mine), (first, other)) for k in named[:1]]
    what = (
        f"it and {first.file.path.name} look like {draft.name.replace('_', ' ')}, and their columns differ: one of "
        "them may be something else, and is said as KIND=FILE."
    )
    return trouble(draft, what, *ways[:1])


def _most_like(path: Path, among: list[str], shop: Shop) -> list[str]:
    """Kinds of which the file has more columns than it lacks, the likest first."""
    tried = [(one, one.mapped(path)) for one in (_Kind(k, shop) for k in among)]
    found = sorted((len(one.lost(draft)) - len(draft.columns), one.name) for one, draft in tried)
    return [name for less, name in found if less < 0]


def once(named: Iterable[str]) -> list[str]:
    """Files as they were named; one whose kind is said somewhere is no other beside it."""
    told = {path_of(name) for name in named if _named(name)[0]}
    return [name for name in named if _named(name)[0] or path_of(name) not in told]


def kinds_of(named: Iterable[str]) -> tuple[str, ...]:
    """The kinds that files may be of: what was said, or any."""
    listed = list(named)
    found = dict.fromkeys(k for name in listed if (k := _named(name)[0]))
    return (*found, *(k for k in kinds() if k not in found)) if listed else ()


def beside(draft: Draft, shop: Shop) -> tuple[Draft, dict[str, Any]] | None:
    """The accounts that wrote what a file holds, to find whose they are; None: it names customers, or is no such file.

    What is known of an account stands in the same file, so nobody has to hand over another one.
    """
    if draft.name == "social":
        return _archives("accounts", draft.file.path, shop)
    if draft.name not in ("comments", "service") or "account" not in draft.columns:
        return None
    return _accounts(draft, shop)


def found_again(path: Path, shop: Shop) -> tuple[Draft, dict[str, Any]] | None:
    """The customers' file as registrations: names and addresses by which accounts are found again."""
    kind = _Kind("registrations", shop)
    draft = kind.draft(path, said=True)
    if draft is None:
        return None
    draft.notes.append(
        f"Names and addresses of {path.name} are read to find whose accounts those are: say on which basis, or take "
        "registrations out of params.yaml."
    )
    return draft, {"kind": draft.name} | kind.body(draft)


def path_of(told: str) -> Path:
    """The file's path, without the kind before it."""
    return _named(told)[1]


def purposes(draft: Draft, bases: dict[str, str]) -> dict[str, list[str]]:
    """What its columns are for: the twin, and where customers are told apart, offers that were declared."""
    form_ = form(draft.name)
    serves = [p for p in TWIN if Purpose(p) in form_.serves]
    contacted = form_.people == "household_id" and Purpose.OFFERS in form_.serves
    offers = [Purpose.OFFERS.value] if contacted and Purpose.OFFERS.value in bases else []
    return {ours: [*serves, *offers] for ours in draft.columns}


def bases_of(draft: Draft, bases: dict[str, str], said: Said = NOTHING_SAID) -> dict[str, str]:
    """Panelists agreed to something else than customers did, and nobody agreed to be read by buying: it is asked."""
    if draft.name in WRITTEN:
        return dict.fromkeys(bases, said.texts_basis or OPEN)
    if draft.name == "panel":
        return dict.fromkeys(bases, said.panel_basis or OPEN)
    return dict.fromkeys(bases, OPEN) if form(draft.name).people != "household_id" else bases


def _named(told: str) -> tuple[str | None, Path]:
    kind, sign, path = told.partition("=")
    return (kind, Path(path)) if sign and kind in (*kinds(), LISTS) else (None, Path(told))


def lists_in(named: Iterable[str]) -> list[Path]:
    """Further lists of who objected, said as `optouts=FILE`."""
    return [path for kind, path in map(_named, named) if kind == LISTS]


@dataclass(frozen=True)
class _Kind:
    """One kind, in the light of the sales."""

    name: str
    shop: Shop

    @property
    def form(self) -> Form:
        return form(self.name)

    def mapped(self, path: Path) -> Draft:
        """What columns of its kind the file has."""
        draft = draft_of(self.name, path)
        roles: dict[str, list[str]] = words()["files"][self.name]
        take_said(draft, self.shop.said)
        scored = [
            (-score, n, theirs, ours)
            for n, (ours, role) in enumerate(roles.items())
            for theirs in draft.free
            if draft.file.told(theirs) and (score := self._score(draft, ours, theirs, role)) > 0
        ]
        for _, _, theirs, ours in sorted(scored):
            if ours not in draft.columns and theirs in draft.free:
                draft.take(ours, theirs, self._why(ours))
        if "household_id" in roles and "household_id" not in draft.columns and self.name not in _WITH_ADDRESSES:
            # a message may ask for a right: whose it is must not be found by likeness
            of_an_account = [draft.columns["account"]] if self.name == "service" and "account" in draft.columns else []
            shares = {c: self.shop.addresses.share(draft.file.cells[c]) for c in (*of_an_account, *draft.free)}
            if shares and shares[best := max(shares, key=lambda c: shares[c])]:
                if best in of_an_account:
                    draft.columns.pop("account")
                self.shop.addresses.take(draft, best)
        if "household_id" in draft.columns and self.name not in _WITH_ADDRESSES:
            self.shop.addresses.beside(draft)
        if self.name == "redemptions" and "redemption_date" not in draft.columns:
            self._day_of_receipt(draft)
        return draft

    def _day_of_receipt(self, draft: Draft) -> None:
        """Whoever stands beside a receipt bought something with it: the day is that of the purchase."""
        receipts, discounts = (words()["columns"][c] for c in ("basket_id", "retail_disc"))
        tells = any(fit(c, receipts, an_id=True) > 1 or fit(c, discounts, an_id=False) > 1 for c in draft.free)
        days = [c for c in draft.free if draft.file.told(c) and date_format(draft.file.told(c)) is not None]
        days = [c for c in days if fit(c, words()["columns"]["time"], an_id=False) > 0]
        if tells and len(days) == 1:
            draft.take("redemption_date", days[0], "it stands beside a receipt or a discount")

    def lost(self, draft: Draft) -> list[str]:
        """Columns that it needs and has not."""
        later = {"time"} if "undated_from" in self.form.fields else set()
        return [ours for ours in self.form.needed if ours not in later and ours not in draft.columns]

    def filled(self, draft: Draft) -> list[str]:
        """How to say the columns that it lacks, with some whose cells can be read so; nothing if that does not do."""
        options = []
        for ours in self.lost(draft):
            theirs = next((c for c in draft.free if draft.file.told(c) and self._may_be(draft, ours, c)), None)
            if theirs is not None:
                options.append(column_option(self.name, ours, theirs))
                draft.take(ours, theirs, "its cells fit")
        return [] if self.lost(draft) or not self._is_one(draft) else options

    def _may_be(self, draft: Draft, ours: str, theirs: str) -> bool:
        cells = draft.file.told(theirs)
        if self.form.columns.get(ours) in ("moment", "until"):
            return date_format(cells) is not None and not of_birth(theirs) and not self._is_another_day(ours, theirs)
        if ours in ("household_id", "product_id"):
            return self._known(ours, cells) > 0
        # who was held back was not contacted: groups are no campaigns
        groups = ours == "campaign_id" and rows_that_count.tells_groups("campaign_customers", cells[:2_000])
        return date_format(cells) is None and not groups

    def draft(self, path: Path, *, said: bool = False) -> Draft | None:
        """Its columns, if all that are needed are there; `said`: a person told the kind.

        A panel of customers alone looks like a list of customers, so it must be said to be one.
        """
        if not said and self.shop.said.of(self.name) and not _has_all(path, self.shop.said.of(self.name)):
            return None
        draft = self.mapped(path)
        if self.name == "panel" and said and "household_id" in draft.columns:
            draft.columns.setdefault("panelist", draft.columns["household_id"])
        # names and addresses are read where somebody says so, or where they are to find accounts by
        if self.name == "registrations" and not said and "handle" not in draft.columns:
            return None
        return None if self.lost(draft) or not self._is_one(draft) else draft

    def _why(self, ours: str) -> str:
        if self.form.columns.get(ours) in ("identity", "link") or ours == "product_id":
            return "its name says so, or its ids stand in the sales"
        return "its name says so, and its cells fit"

    def _score(self, draft: Draft, ours: str, theirs: str, role: list[str]) -> int:
        cells, kind = draft.file.told(theirs), self.form.columns.get(ours)
        named = fit(theirs, role, an_id=kind in ("identity", "code", "link"))
        if ours == "product_type" and named > 1 and fit(theirs, words()["kinds_of_goods"], an_id=False) > 1:
            named += 1  # a type of goods tells more than the name of each
        if ours in ("household_id", "product_id"):
            known = self._known(ours, cells)
            # customers who bought nothing lately stand in other files too, so a name that says so needs few of them
            by_name = ours == "household_id" and named > 2 and known >= _FEW_KNOWN
            listed = known >= _KNOWN or by_name or (named and self._lists(draft, ours, theirs))
            return 5 + named if listed else 0
        if kind in ("moment", "until"):
            return self._day(ours, theirs, role) if date_format(cells) is not None and not of_birth(theirs) else 0
        if kind == "identity":
            return named if named > 1 and len({c.strip() for c in cells}) == len(cells) else 0
        if kind == "figure":
            counted = in_four_weeks(theirs)
            return named if counted and number_notation(cells) is not None else 0
        if kind == "year":
            return 2 if born(theirs, role) and all(notation.is_nothing(c) or _year(c) for c in cells[:200]) else 0
        an_address = ours != "email" or any("@" in c for c in cells[:2_000])
        clock = date_format(cells)  # a phone number of nine digits may be seconds since 1970
        return named if named > 1 and an_address and (clock is None or clock.format in CLOCKS[1:]) else 0

    def _known(self, ours: str, cells: list[str]) -> float:
        """Share of the ids that stand in the sales."""
        if ours == "household_id":
            return _share([self.shop.numbers.alike(c.strip()) for c in cells], self.shop.customers)
        return _share(cells, self.shop.articles)

    def _day(self, ours: str, theirs: str, role: list[str]) -> int:
        """How well a name tells that day: `closed at` and `data de fecho` are days of closing, and of nothing else."""
        certain = tells_day(theirs, role)
        return 0 if not certain and self._is_another_day(ours, theirs) else max(fit(theirs, role, an_id=False), certain)

    def _is_another_day(self, ours: str, theirs: str) -> bool:
        roles: dict[str, list[str]] = words()["files"][self.name]
        return any(tells_day(theirs, roles[c]) for c in roles if c != ours and self.form.moments([c]))

    def _lists(self, draft: Draft, ours: str, theirs: str) -> bool:
        """A list of products may hold many that were not sold lately, and those that were far from its beginning."""
        articles = self.shop.articles
        if (self.name, ours) != ("products", "product_id") or not articles or _repeats(draft, theirs):
            return False
        found = {c.strip() for c in every_cell(draft.file, theirs)}
        return len(articles & found) >= _KNOWN * len(articles)

    def _is_one(self, draft: Draft) -> bool:
        """A contact has no day that a redemption has; a panel asks something."""
        if self.name == "campaigns":
            return _share(draft.file.told(draft.columns["campaign_id"]), self.shop.customers) < _KNOWN and not any(
                _share(draft.file.told(c), self.shop.customers) >= _KNOWN and _repeats(draft, c) for c in draft.free
            )
        there = set(draft.columns)
        if self.name in ("comments", "service"):
            told = there & ({"category", "outcome", "closed"} if self.name == "service" else {"text"})
            return bool(there & {"household_id", "account"}) and bool(told)
        if self.name == "registrations":
            cells = draft.file.told(draft.columns["household_id"])
            once = len({c.strip() for c in cells}) >= _ROW_A_CUSTOMER * len(cells)
            return bool(there & {"email", "handle", "phone", "surname", "name"}) and once
        return self.name != "panel" or bool(_scales(draft) or set(draft.columns) - {"panelist", "household_id"})

    def body(self, draft: Draft) -> dict[str, Any]:
        """How it is read, beside its legal facts."""
        more: dict[str, Any] = {}
        if self.name == "panel":
            more = self._asked(draft)
        if self.name == "products":
            more = _special(draft)
        if "language" in self.form.fields and "text" in draft.columns:
            more |= _language(draft)
        if "time" in self.form.needed and "time" not in draft.columns:
            more["undated_from"] = self.shop.last.isoformat()
            draft.notes.append(f"{draft.file.path.name} has no day: what it says is known from {self.shop.last} on.")
        if "only" in self.form.fields:
            more |= rows_that_count.proposed(draft, self.shop.said)
        if "requests" in self.form.fields:
            more |= request_words.proposed(draft, self.shop.said)
        moments = [c for ours, c in draft.columns.items() if self.form.moments([ours])]
        if moments:
            found = date_format([x for c in moments for x in draft.file.told(c)]) or date_format(
                draft.file.told(moments[0])
            )
            more["time"] = (found or DateFormat("iso")).declared(self.shop.said.zone)
        codes = {ours: w for ours, w in self.shop.said.words_of(self.name).items() if ours not in more}
        return read_as(draft) | {"columns": dict(draft.columns)} | more | ({"codes": codes} if codes else {})

    def _asked(self, draft: Draft) -> dict[str, Any]:
        """Scales with the ends that were seen, and how numbers are written."""
        scales = _scales(draft)
        for ours, (theirs, ends) in scales.items():
            draft.take(ours, theirs, f"its cells are answers on a scale; from {ends[0]:g} to {ends[1]:g} were seen")
        if scales:
            draft.notes.append(
                "The ends of the panel's scales are those that were seen: say the true ones under `scales`, or take a "
                "column out that is no scale."
            )
        told = [x for c in draft.columns.values() for x in draft.file.told(c) if number_notation([x]) is not None]
        found = number_notation(told) or NumberNotation(".", "")
        money = {"currency": self.shop.currency, "decimal": found.decimal}
        ages = {"ages_in": self.shop.last_year} if "birth_year" in draft.columns else {}
        return {"scales": {ours: list(ends) for ours, (_, ends) in scales.items()}, "money": money} | ages


def _accounts(draft: Draft, shop: Shop) -> tuple[Draft, dict[str, Any]]:
    """The accounts of a file of comments or cases."""
    accounts = Draft("accounts", draft.file)
    theirs = draft.columns["account"]
    accounts.take("account", theirs, f"{draft.name} are by accounts: whose they are must be found")
    if any("@" in c for c in draft.file.told(theirs)[:2_000]):
        accounts.take("email", theirs, "its cells are addresses")
    accounts.take("time", draft.columns["time"], "an account is known from the first time it wrote")
    return accounts, {"kind": "accounts"} | _Kind("accounts", shop).body(accounts)


def _language(draft: Draft) -> dict[str, Any]:
    """The language of the texts, by their words; moods are read in English alone."""
    texts = draft.file.told(draft.columns["text"])[:2_000]
    found = language.likely(texts)
    if found == language.UNKNOWN:
        draft.open.append(
            f"the texts of {draft.file.path.name} are in a language that is not known; no mood and no topic is read of "
            "them, and nobody looked in them for special categories (GDPR art. 9)."
        )
    draft.choices.append(Choice(draft.name, "language", found, "most texts that tell are in it"))
    if found != language.READ:
        draft.notes.append(
            f"{draft.file.path.name} is in {language.called(found)}, and only English is read: of its texts neither "
            "mood nor topic is told, and their words are not kept."
        )
    return {"language": found}


def _holds_exports(path: Path) -> bool:
    if exports.is_export(path):
        return True
    return path.is_dir() and any(exports.is_export(p) for p in path.iterdir() if not p.name.startswith("."))


def _archives(kind: str, path: Path, shop: Shop) -> tuple[Draft, dict[str, Any]]:
    """Exports of platforms hold the same columns whosesoever they are."""
    columns = [c for c in form(kind).columns if c != "household_id"]
    file = Sampled(path, "archives", tuple(columns), {c: [] for c in columns}, why=("It holds exports of platforms.",))
    draft = Draft(kind, file)
    draft.choices.append(Choice(kind, "file", path.name, file.why[0]))
    for ours in columns:
        draft.take(ours, ours, "every such export tells it")
    body = {"kind": kind, "reads": "archives", "path": str(path), "columns": dict(draft.columns)}
    return draft, body | {"time": {"format": "iso", "zone": shop.said.zone or "UTC"}}


def _special(draft: Draft) -> dict[str, Any]:
    """Categories and types that tell of a special category of personal data by their words; a person looks again."""
    theirs = [draft.columns[c] for c in ("product_category", "product_type") if c in draft.columns]
    levels = sorted({c.strip() for name in theirs for c in draft.file.told(name)})
    found: dict[str, list[str]] = {}
    spoken = special_words.spoken(levels)
    by_level = {level: special_words.told(level, spoken) for level in levels}
    for name in special_words.shipped().words:
        if told := [level for level in levels if name in by_level[level]]:
            found[name] = [special_categories.exactly(level) for level in told[:100]]
    listed = "; ".join(f"{name.replace('_', ' ')}: {len(told)}" for name, told in found.items()) or "none"
    draft.notes.append(
        f"Categories and types of products that tell of health, belief and the like (GDPR art. 9), by their words: "
        f"{listed}. They are in no taste and no feature. Somebody who knows the goods looks through all of them, adds "
        "what is missing under `special`, and signs with a name under `special_reviewed`; until then nothing can be "
        "promoted."
    )
    if not spoken:
        known = ", ".join(special_words.languages())
        draft.open.append(
            f"words of these languages are known: {known}; the products of {draft.file.path.name} look like none of "
            f"these, so special categories (GDPR art. 9) may be missed beside those told by their words ({listed}): "
            "somebody who knows the goods must look through all of them."
        )
    return {"special": found, "special_reviewed": OPEN}


def _scales(draft: Draft) -> dict[str, tuple[str, tuple[float, float]]]:
    """Columns of numbers that nothing else was found for: our name, theirs, and the ends that were seen."""
    found: dict[str, tuple[str, tuple[float, float]]] = {}
    for theirs in draft.free:
        cells, ours = draft.file.told(theirs), "_".join(parts_of(theirs))[:31]
        written = number_notation(cells)
        if written is None or is_special(ours) or not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", ours):
            continue
        money = MoneyParams(decimal=written.decimal, thousands=written.thousands, currency="XXX")  # type: ignore[arg-type]
        values = numbers(cells, money)
        credible = max(map(abs, values), default=0) <= _HIGHEST and not _numbered_through(values)
        if len(set(values)) > 1 and credible and date_format(cells) is None:
            found[ours] = (theirs, _ends(values))
    return dict(list(found.items())[:_MOST_SCALES])


def _ends(values: list[float]) -> tuple[float, float]:
    """The usual ends that hold all of them, or whole numbers around.

    >>> _ends([1.0, 4.0, 7.0]), _ends([-1.03, 2.2])
    ((1, 7), (-2, 3))
    """
    low, high = min(values), max(values)
    if all(v == int(v) for v in values):
        nice = next(((a, b) for a, b in _NICE if a <= low and high <= b), None)
        if nice:
            return nice
    return math.floor(low), math.ceil(high)


def _numbered_through(values: list[float]) -> bool:
    return len(values) > 10 and all(b - a == 1 for a, b in pairwise(values))


def _share(cells: list[str], among: frozenset[str]) -> float:
    """Share of the distinct ids that are among those."""
    own = {c.strip() for c in cells}
    return len(own & among) / len(own) if own else 0.0


def _repeats(draft: Draft, theirs: str) -> bool:
    cells = draft.file.told(theirs)
    return len({c.strip() for c in cells}) < len(cells)


def in_four_weeks(name: str) -> bool:
    """What is counted so: `Visits in 4 weeks`."""
    found = set(parts_of(name))
    return "4" in found and bool(found & set(_WEEKS))


def tells_day(name: str, role: list[str]) -> int:
    """How well a name fits words for one certain day, by what it is of too; words for any day tell nothing."""
    certain = [word for word in role if word not in words()["columns"]["time"]]
    return max(fit(name, certain, an_id=False), fit(of_what(name), certain, an_id=False))


def _year(cell: str) -> bool:
    try:
        return bool(notation.year(cell))
    except notation.Unreadable:
        return False
