"""The section `own` of `params.yaml`: sources of your own, declared by column names and legal facts, without Python."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, RootModel, field_validator, model_validator

from twinops import plugins
from twinops.entities.consent import LegalBasis
from twinops.own_kinds import ANSWER, BESIDE, CHANNEL, KINDS, REPLACES, Form, form, staged_as
from twinops.own_sections import OPEN, AnyPurpose, CellRules, MoneyParams, OwnLegal, Section, Text, TimeParams
from twinops.own_words import BY_WORDS, as_table

_NO_CONSTANT = ("identity", "handle", "moment", "until")
"""Cells of these tell rows apart: one value cannot hold for all."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
Theirs = Annotated[str, Field(min_length=1, max_length=200)]
Word = Annotated[str, Field(max_length=200)]
"""What stands in a cell of theirs; nothing is a word too."""
RequestWord = Literal[
    "access",
    "portability",
    "rectification",
    "erasure",
    "restriction",
    "objection",
    "unsubscribe",
    "withdrawal",
    "contest",
]
"""What a message may ask for, in the words of the cases (`governance.subject_cases.RequestKind`); `unsubscribe` is an
objection to offers alone."""
IsoDay = Annotated[date, BeforeValidator(lambda said: date.fromisoformat(said) if isinstance(said, str) else said)]

_KEPT_DIGITS = 2

_MONTHLY = r"^[\w .-]{0,80}\{month\}[\w .-]{0,80}\.(csv|csv\.gz|parquet|\*)$"
"""How monthly files are called; `.*`: some are in one format and some in another."""

FIELDS = (
    "cancelled", "repeated", "corrections", "answers", "times", "undated_from", "ages_in", "scales", "special",
    "special_reviewed", "language", "brand", "only", "carried_down", "requests", "offers_by",
    "holding", "confirmed", "confirmed_of", "yes_only",
)  # fmt: skip
"""Fields of a declaration that only some kinds have."""


class OwnSource(Section):
    """One source: where it lies, how it is written, and which of its columns is which of ours.

    `digits`: customer numbers are digits, so many; blanks, dashes and lost zeros are no difference. `prefixes`: letters
    stand before them, which may be lost, or in another case. A list of objections may say several lengths: a number
    stands for the customer of each (and of each prefix, where it has none), as none may be lost.
    `only`: rows that have one of these words in a column of theirs; others are left out, and counted.
    `holding`: of a list, rows with one of these words in one of these columns; whoever has none is not listed.
    `known_by`: its customers are not told by number but by what another source has in a column, such as an address.
    `addresses`: of those that are told by number, the column of theirs that tells them where no number stands.
    `confirmed`: of answers, the column without which a yes is pending and no answer yet (a double opt-in).
    `confirmed_of`: it is asked of a yes with one of these words in a column of theirs, such as those of a web form.
    `yes_only`: a yes counts with one of these words in a column of theirs, such as its origin; a no always does.
    `renamed`: what their columns are called in some of the files.
    `carried_down`: columns that only the first line of a receipt fills; its other lines have the same.
    `requests`: of customer service, the words of its category that ask for a right, and for which.
    `repeated`: whether equal lines are all taken, or once, or only what several files of a folder have is taken once.
    `offers_by`: of answers that name a channel, those by which offers are sent; without it they need a yes to each.
    `times`: of a table with a column a purpose, the column with the day of each.
    """

    kind: str
    reads: Literal["csv", "excel", "parquet", "folder", "sql", "sqlite", "archives"]
    path: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None
    files: Annotated[str, Field(pattern=_MONTHLY)] | None = None
    query: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    url_from: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")] | None = None
    encoding: Literal[
        "detect", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "windows-1250", "windows-1251", "windows-1252",
        "windows-1253", "windows-1254", "windows-1257", "iso-8859-1", "iso-8859-2", "iso-8859-15", "shift_jis",
        "euc-jp", "euc-kr", "gb18030",
    ] = "detect"  # fmt: skip
    separator: Literal["detect", ",", ";", "\t", "|", " "] = "detect"
    header: bool = True
    sheet: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    missing: tuple[Annotated[str, Field(max_length=20)], ...] = ()
    digits: tuple[Annotated[int, Field(ge=1, le=30)], ...] = ()
    known_by: dict[Name, Theirs] = Field(default_factory=dict)
    addresses: Theirs | None = None
    prefixes: tuple[Annotated[str, Field(pattern=r"^([^\W\d_]{1,8}[-./ ]?)?$")], ...] = ()
    columns: Annotated[dict[str, Theirs], Field(min_length=1)]
    renamed: dict[Theirs, Annotated[tuple[Theirs, ...], Field(min_length=1)]] = Field(default_factory=dict)
    constants: dict[str, str] = Field(default_factory=dict)
    codes: dict[str, dict[str, str]] = Field(default_factory=dict)
    time: TimeParams | None = None
    money: MoneyParams | None = None
    cancelled: Annotated[str, Field(min_length=1, max_length=10)] | None = None
    repeated: Literal["keep", "drop", "across_files"] | None = None
    corrections: Literal["replace", "add"] | None = None
    answers: dict[AnyPurpose, Theirs] = Field(default_factory=dict)
    times: dict[AnyPurpose, Theirs] = Field(default_factory=dict)
    only: dict[Theirs, Annotated[tuple[Word, ...], Field(min_length=1)]] = Field(default_factory=dict)
    holding: dict[Theirs, Annotated[tuple[Word, ...], Field(min_length=1)]] = Field(default_factory=dict)
    confirmed: Theirs | None = None
    confirmed_of: dict[Theirs, Annotated[tuple[Word, ...], Field(min_length=1)]] = Field(default_factory=dict)
    yes_only: dict[Theirs, Annotated[tuple[Word, ...], Field(min_length=1)]] = Field(default_factory=dict)
    carried_down: tuple[Theirs, ...] = ()
    undated_from: IsoDay | None = None
    ages_in: Annotated[int, Field(ge=1900, le=2100)] | None = None
    scales: dict[str, tuple[float, float]] = Field(default_factory=dict)
    special: dict[Name, tuple[Theirs, ...]] = Field(default_factory=dict)
    special_reviewed: Text | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    brand: Annotated[str, Field(pattern=r"^[\w.-]+$", max_length=253)] | None = None
    requests: dict[Theirs, RequestWord] = Field(default_factory=dict)
    offers_by: tuple[Word, ...] = ()
    rules: dict[str, CellRules] = Field(default_factory=dict)
    contract: dict[str, Any] = Field(default_factory=dict)
    max_bytes: Annotated[int, Field(ge=1, le=64 * 2**30)] = 16 * 2**30
    legal: OwnLegal

    @property
    def form(self) -> Form:
        """What its kind holds."""
        return form(self.kind)

    @property
    def ours(self) -> tuple[str, ...]:
        """All columns of ours that it can fill, in order."""
        known = tuple(self.form.columns)
        own = self.columns if self.form.answers else self.scales
        return (*known, *(c for c in own if c not in known and c not in self.form.settled_by), *self.beside)

    @property
    def beside(self) -> tuple[str, ...]:
        """Columns of ours that the column of another one fills, too."""
        here = self.form.staged_as == "demographics"
        return tuple(ours for ours, of in BESIDE.items() if here and of in self.entering)

    @property
    def open(self) -> tuple[str, ...]:
        """What only people can say, and nobody has said yet."""
        facts = self.legal.open if self.form.personal else ()
        return (*facts, "special_categories") if self.special_reviewed == OPEN else facts

    @property
    def entering(self) -> dict[str, str]:
        """Ours and theirs of the columns that have a purpose; no other is read."""
        return {ours: theirs for ours, theirs in self.columns.items() if self.legal.purposes.get(ours)}

    @property
    def read(self) -> tuple[str, ...]:
        """Their columns that are read, each once."""
        mails = (self.addresses,) if self.addresses is not None else ()
        beside = (*mails, *self.answers.values(), *self.times.values(), *self.only, *self.holding, *self.proof)
        return tuple(dict.fromkeys((*self.entering.values(), *beside)))

    @property
    def proof(self) -> tuple[str, ...]:
        """Their columns that show whether a yes counts."""
        return (*self.yes_only, *self.confirmed_of, *((self.confirmed,) if self.confirmed is not None else ()))

    @property
    def identities(self) -> tuple[str, ...]:
        """Their columns that tell people, receipts, goods or shops apart."""
        return tuple(t for ours, t in self.entering.items() if self.form.columns.get(ours) in ("identity", "code"))

    def fills(self, ours: str) -> bool:
        """A column of ours is read from the file."""
        return BESIDE.get(ours, ours) in self.entering or (self.turned and ours in ANSWER)

    @property
    def by_customer(self) -> bool:
        """Its rows name customers, so that nothing need be linked."""
        return "household_id" in self.entering

    @property
    def joins(self) -> bool:
        """It says which customer number replaces which."""
        return {REPLACES, "household_id"} <= set(self.entering)

    @property
    def turned(self) -> bool:
        """A record is turned into a row an answer."""
        return bool(self.answers) or self.form.lists

    def theirs(self, ours: str) -> str:
        """Their column that fills one of ours; of a table with a column a purpose, the one it was turned into."""
        return ANSWER[ours] if self.turned and ours in ANSWER else self.columns[BESIDE.get(ours, ours)]

    @field_validator(*BY_WORDS, mode="before")
    @classmethod
    def _words_as_keys(cls, told: Any) -> Any:
        """Their words may be written as pairs."""
        return as_table(told)

    @model_validator(mode="after")
    def _can_be_acted_on(self) -> Self:
        if self.kind not in plugins.names(KINDS):
            raise ValueError(f"no kind {self.kind}; there are {', '.join(plugins.names(KINDS))}")
        wrong = [*self._place(), *self._mapping(), *self._notation(), *self._law()]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _place(self) -> Iterator[str]:
        asked = {"folder": ("path", "files"), "sql": ("query", "url_from"), "sqlite": ("path", "query")}
        for name in ("path", "files", "query", "url_from"):
            wanted = name in asked.get(self.reads, ("path",))
            if (getattr(self, name) is not None) != wanted:
                yield f"reads: {self.reads} {'needs' if wanted else 'does not go with'} {name}"
        if self.path is not None and (".." in self.path.replace("\\", "/").split("/") or "\0" in self.path):
            yield "path must not climb with `..`"
        names = Counter(name for one, others in self.renamed.items() for name in (one, *others))
        if several := sorted(name for name, n in names.items() if n > 1):
            yield f"renamed: {', '.join(several)} stands for two columns"
        if self.reads == "folder" and self.kind != "transactions":
            yield "reads: folder is for monthly files of transactions"
        if self.reads == "archives" and not self.form.archives:
            yield f"reads: archives does not go with {self.kind}"

    def _mapping(self) -> Iterator[str]:
        for section in ("columns", "constants", "codes", "rules"):
            known = {*self.ours, *(self.form.settled_by if section == "columns" else ())}
            unknown = sorted(set(getattr(self, section)) - known)
            if unknown:
                yield f"{section}: {', '.join(unknown)} is no column of {self.kind}; those are {', '.join(self.ours)}"
        odd = sorted(c for c in self.columns if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", c))
        if odd:
            yield f"columns: {', '.join(odd)}: names of answers are small letters, digits and _"
        twice = sorted(set(self.columns) & set(self.constants))
        if twice:
            yield f"{', '.join(twice)} is both a column and a constant"
        fixed = [c for c in self.constants if c == "seq" or self.form.columns.get(c) in _NO_CONSTANT]
        if fixed:
            yield f"constants cannot hold {', '.join(fixed)}"
        if "sales_value" in self.columns and "unit_price" in self.columns:
            yield "columns: map sales_value, or unit_price and quantity, not both"
        for name in FIELDS:
            if getattr(self, name) and name not in self.form.fields:
                yield f"{name} does not go with {self.kind}"
        if self.form.or_else and not {"household_id", self.form.or_else} & set(self.entering):
            yield f"household_id or {self.form.or_else} is needed: map it in columns and say in legal.purposes what for"
        yield from self._whose_and_when()
        yield from self._heard()
        yield from self._settled()
        yield from self._needed()

    def _whose_and_when(self) -> Iterator[str]:
        if len(self.digits) > 1 and not self.form.lists:
            yield f"digits: {self.kind} say one length; only a list of objections may say several"
        if self.prefixes and not self.digits:
            yield "prefixes: say under digits how many digits stand behind them (1: no zeros stand before)"
        by_address = bool(self.known_by) and self.addresses is None
        if self.known_by and ((by_address and self.digits) or self.reads == "folder" or not self.by_customer):
            yield "known_by: household_id is their column of addresses; it goes neither with digits nor with a folder"
        if self.addresses is not None and not self.known_by:
            yield "addresses: known_by says whose they are"
        if self.times and (set(self.times) != set(self.answers) or "time" not in self.columns):
            yield "times: name the column with the day of each purpose under answers, and map one of them as time"

    def _heard(self) -> Iterator[str]:
        """What words are looked up in is read."""
        if self.requests and "category" not in self.entering:
            yield "requests: map category in columns and say in legal.purposes what it is for"
        if self.confirmed_of and self.confirmed is None:
            yield "confirmed_of: say under confirmed which column shows that a yes was confirmed"
        if self.offers_by and CHANNEL not in self.entering:
            yield "offers_by: map channel in columns and say in legal.purposes what it is for"

    def _settled(self) -> Iterator[str]:
        """What tells lines apart tells receipts apart first."""
        there = [c for c in self.form.settled_by if c in self.columns and c not in (REPLACES, CHANNEL)]
        if there and "basket_id" not in self.entering:
            yield f"{', '.join(there)} goes with basket_id: map it in columns and say in legal.purposes what it is for"
        if self.carried_down and "basket_id" not in self.entering:
            yield "carried_down: which lines are of one receipt is told by basket_id alone: map it, and say its purpose"
        if unread := [c for c in self.carried_down if c not in self.read or c == self.entering.get("basket_id")]:
            yield f"carried_down: {', '.join(unread)} is the receipt itself, or a column that is not read"
        if self.corrections == "replace" and "line_id" not in self.entering:
            yield "corrections: replace needs line_id, the number of a line on its receipt, with a purpose"
        if self.repeated == "across_files" and ("sales_value" not in self.form.columns or "line_id" in self.entering):
            yield "repeated: across_files is for receipt lines without a number of their own (line_id)"
        if self.repeated == "across_files" and self.reads not in ("csv", "excel", "parquet"):
            yield f"repeated: across_files does not go with reads: {self.reads}, but with csv, excel or parquet"
        if self.corrections == "replace" and self.reads == "folder":
            yield "corrections: replace does not go with reads: folder; put a month's file anew in place of the old one"

    def _needed(self) -> Iterator[str]:
        given = set(self.entering) | set(self.constants)
        given |= {"event", "purpose"} if self.answers else set()
        given |= {"time"} if self.undated_from else set()
        for name in self.form.needed:
            if name not in given:
                yield f"{name} is needed: map it in columns and say in legal.purposes what it is for"
        if (
            "sales_value" in self.form.columns
            and "sales_value" not in given
            and not {"unit_price", "quantity"} <= given
        ):
            yield "sales_value (or unit_price and quantity) is needed, with a purpose"
        if self.answers and {"event", "purpose"} & (set(self.columns) | set(self.constants)):
            yield "answers: a column a purpose takes the place of event and purpose; map one or the other"
        if self.answers and LegalBasis.OPEN in self.codes.get("event", {}).values():
            yield "codes: open is no answer"

    def _notation(self) -> Iterator[str]:
        if self.time is not None:
            yield from self.time.mistakes()
        if self.form.moments(self.entering) and self.time is None:
            yield "time is needed: format and zone"
        yield from self._money()
        for name in sorted(set(BESIDE) & set(self.columns)):
            yield f"columns: {name} is filled from {BESIDE[name]}; map that, or call yours otherwise"
        if self.ages_in is None and "birth_year" in self.columns:
            yield "ages_in is needed beside birth_year: the year in which ages are counted"
        for name, (low, high) in self.scales.items():
            if low >= high:
                yield f"scales: {name} ends where it begins; write its lowest and its highest answer, as in [1, 7]"
            if name not in self.columns or name in self.form.columns:
                yield f"scales: {name} is no column of answers; map it in columns"
        if "special_reviewed" in self.form.fields and self.special_reviewed is None:
            yield "special_reviewed is needed: who looked for special categories (GDPR art. 9), or open"

    def _money(self) -> Iterator[str]:
        if "sales_value" in self.form.columns and self.money is None:
            yield "money is needed: currency, decimal sign and minor units"
        if self.money is not None and self.money.decimal == self.money.thousands:
            yield "money: decimal and thousands sign are the same"
        if self.money is not None and self.money.minor_units > _KEPT_DIGITS and self.money.rounded_to is None:
            yield (
                f"money: amounts in {self.money.currency} have {self.money.minor_units} digits behind the sign, and "
                "tables keep 2; write `rounded_to: hundredths` under `money` if the rest may be rounded away (half to "
                "even)"
            )

        yield from self._discounts(self.money) if self.money is not None else ()

    def _discounts(self, money: MoneyParams) -> Iterator[str]:
        """Whether what was paid can be told. A discount that is taken off is part of it, and serves what it serves."""
        given = set(self.entering) | set(self.constants)
        there = [c for c in self.form.columns if self.form.columns[c] == "discount" and c in given]
        if there and "unit_price" in given and money.discount is None:
            yield (
                f"money: say whether unit_price is before the discount ({', '.join(there)}): write `discount: "
                "to_take_off`; or after it: `discount: taken_off`"
            )
        if not there and money.discount == "to_take_off":
            yield "money: `discount: to_take_off` needs a column of discounts, with a purpose"
        if money.discount_as == "amount_per_piece" and "quantity" not in given:
            yield "money: `discount_as: amount_per_piece` needs quantity, with a purpose"
        priced = next((c for c in ("unit_price", "sales_value") if c in given), None)
        wanted = set(self.legal.purposes.get(priced or "", ()))
        less = [c for c in there if not wanted <= set(self.legal.purposes.get(c, ())) and c in self.entering]
        if less and money.discount == "to_take_off":
            yield f"legal.purposes: {', '.join(less)} is part of what was paid; it serves what {priced} serves"

    def _law(self) -> Iterator[str]:
        unknown = sorted(set(self.legal.purposes) - {*self.ours, *self.form.settled_by})
        if unknown:
            yield f"legal.purposes: {', '.join(unknown)} is no column of {self.kind}"
        used = {p for purposes in self.legal.purposes.values() for p in purposes}
        without = sorted(used - set(self.legal.bases)) if isinstance(self.legal.bases, dict) else []
        if without:
            yield f"legal.bases: no basis for {', '.join(without)}"
        if used - self.form.serves:
            yield f"legal.purposes: {self.kind} serve {', '.join(sorted(self.form.serves))} only"


class OwnParams(RootModel[dict[Name, OwnSource]]):
    """Sources of your own, by name; at most one of most kinds."""

    model_config = ConfigDict(frozen=True, strict=True)

    @model_validator(mode="after")
    def _one_of_a_kind(self) -> Self:
        twice = [k for k, n in Counter(s.kind for s in self.root.values()).items() if n > 1 and not form(k).many]
        if twice:
            raise ValueError(f"more than one source of {', '.join(sorted(twice))}")
        for name, said in self.root.items():
            for other in said.known_by:
                by = self.root.get(other)
                if by is None or by.known_by or by.reads == "folder" or "household_id" not in by.entering:
                    raise ValueError(f"{name}.known_by: {other} is no source with a column of customer numbers")
        bases: dict[str, Any] = {}
        for said in self.root.values():
            if form(said.kind).many and bases.setdefault(said.kind, said.legal.bases) != said.legal.bases:
                raise ValueError(f"sources of {said.kind} fill one table: say the same legal.bases of each")
        return self

    def of_kind(self, kind: str) -> str | None:
        """The name of the source of this kind."""
        return next((name for name, said in self.root.items() if said.kind == kind), None)

    def staged_as(self, source: str) -> str | None:
        """The name of the (first) source that takes the place of one of the pipeline's."""
        return next(iter(self.all_staged_as(source)), None)

    def by_customer(self, source: str) -> bool:
        """The rows of one of the pipeline's sources name customers, so that nothing need be linked."""
        names = self.all_staged_as(source)
        return bool(names) and all(self.root[n].by_customer for n in names)

    def all_staged_as(self, source: str) -> tuple[str, ...]:
        """All that together take the place of one of the pipeline's sources."""
        return tuple(name for name, said in self.root.items() if staged_as(said.kind) == source)

    @property
    def unseen_products(self) -> bool:
        """A hierarchy of goods that nobody looked through for special categories (GDPR art. 9)."""
        return any("special_categories" in facts for facts in self.open.values())

    @property
    def open(self) -> dict[str, tuple[str, ...]]:
        """By source, the legal facts that nobody has said yet."""
        return {name: said.open for name, said in self.root.items() if said.open}


NOTHING_OWN = OwnParams({})


def shown(error: Any) -> str:
    """What was got, for a message; never of a field where a password may have been written by mistake."""
    hidden = "own" in error["loc"] or isinstance(error["input"], dict)
    return "" if hidden else f" (got {error['input']!r:.80})"
