"""The section `own` of `params.yaml`: sources of your own, declared by column names and legal facts, without Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from twinops.entities.consent import LegalBasis, Purpose
from twinops.entities.demographics import CODES

Kind = Literal["transactions", "profiles", "consent"]
STAGED_AS: dict[str, str] = {"transactions": "transactions", "profiles": "demographics", "consent": "consent"}
"""Which source of the pipeline a kind takes the place of."""

DISCOUNTS = ("retail_disc", "coupon_disc", "coupon_match_disc")
COLUMNS: dict[str, tuple[str, ...]] = {
    "transactions": (
        *("household_id", "store_id", "basket_id", "product_id", "quantity", "unit_price", "sales_value"),
        *(*DISCOUNTS, "time"),
    ),
    "profiles": ("household_id", *CODES),
    "consent": ("household_id", "purpose", "event", "basis", "notice_version", "time", "seq"),
}
"""Our columns, per kind."""

NEEDED: dict[str, tuple[str, ...]] = {
    "transactions": ("household_id", "time"),
    "profiles": ("household_id",),
    "consent": ("household_id", "purpose", "event", "basis", "notice_version", "time"),
}
_NO_CONSTANT = ("household_id", "time", "seq")

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
Theirs = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(min_length=1, max_length=2_000)]
AnyPurpose = Annotated[Purpose, Field(strict=False)]
AnyBasis = Annotated[LegalBasis, Field(strict=False)]


class Section(BaseModel):
    """A part of `params.yaml`: frozen, and nothing in it that we do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TimeParams(Section):
    """How a moment is written (`iso`, or strptime's letters), in which zone, and in which zone days are counted."""

    format: Annotated[str, Field(min_length=2, max_length=40)] = "iso"
    zone: str
    counted_in: str | None = None

    @property
    def days_in(self) -> str:
        """The zone whose calendar days count."""
        return self.counted_in or self.zone

    def mistakes(self) -> Iterator[str]:
        """What cannot be acted on."""
        for zone in {self.zone, self.days_in}:
            try:
                ZoneInfo(zone)
            except (KeyError, ValueError, OSError):
                yield f"time: there is no time zone {zone}"
        if self.format != "iso":
            day = datetime.fromisoformat("1999-03-31")
            try:
                told = datetime.strptime(day.strftime(self.format), self.format)  # noqa: DTZ007  (zone comes after)
            except ValueError:
                told = None
            if told is None or told.date() != day.date():
                yield f"time.format {self.format!r} does not tell a day; write `iso` or for example '%d/%m/%Y %H:%M'"


class MoneyParams(Section):
    """How amounts are written, and in how many digits the currency's minor unit lies behind the major one."""

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    minor_units: Annotated[int, Field(ge=0, le=4)] = 2
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class OwnLegal(Section):
    """Why the source may be held (GDPR arts. 5, 6, 13, 14, 30); `purposes` says what each column of ours is for.

    `dataset` and `country` are how documents and notebooks call the data and say where their people live.
    """

    controller: Text
    provenance: Text
    collected_from: Text
    bases: Annotated[dict[AnyPurpose, AnyBasis], Field(min_length=1)]
    purposes: Annotated[dict[str, tuple[AnyPurpose, ...]], Field(min_length=1)]
    retention_days: Annotated[int, Field(ge=1, le=3_650)]
    notice: Text
    synthetic: bool
    personal_data: Annotated[str, Field(pattern=r"^https://w3id\.org/dpv")] = "https://w3id.org/dpv#PersonalData"
    dataset: Text | None = None
    country: Text | None = None


class OwnSource(Section):
    """One source: where it lies, how it is written, and which of its columns is which of ours."""

    kind: Kind
    reads: Literal["csv", "parquet", "folder", "sql"]
    path: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None
    files: Annotated[str, Field(pattern=r"^[\w .-]{0,80}\{month\}[\w .-]{0,80}\.(csv|parquet)$")] | None = None
    query: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    url_from: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")] | None = None
    encoding: Literal[
        "detect", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "windows-1250", "windows-1252", "iso-8859-1",
        "iso-8859-2", "iso-8859-15", "shift_jis", "gb18030",
    ] = "detect"  # fmt: skip
    separator: Literal["detect", ",", ";", "\t", "|"] = "detect"
    missing: tuple[Annotated[str, Field(max_length=20)], ...] = ()
    columns: Annotated[dict[str, Theirs], Field(min_length=1)]
    constants: dict[str, str] = Field(default_factory=dict)
    codes: dict[str, dict[str, str]] = Field(default_factory=dict)
    time: TimeParams | None = None
    money: MoneyParams | None = None
    max_bytes: Annotated[int, Field(ge=1, le=8 * 2**30)] = 512 * 2**20
    legal: OwnLegal

    @property
    def entering(self) -> dict[str, str]:
        """Ours and theirs of the columns that have a purpose; no other is read."""
        return {ours: theirs for ours, theirs in self.columns.items() if self.legal.purposes.get(ours)}

    @model_validator(mode="after")
    def _can_be_acted_on(self) -> Self:
        wrong = [*self._place(), *self._mapping(), *self._notation(), *self._law()]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _place(self) -> Iterator[str]:
        asked = {"csv": ("path",), "parquet": ("path",), "folder": ("path", "files"), "sql": ("query", "url_from")}
        for name in ("path", "files", "query", "url_from"):
            if (getattr(self, name) is not None) != (name in asked[self.reads]):
                yield f"reads: {self.reads} {'needs' if name in asked[self.reads] else 'does not go with'} {name}"
        if self.path is not None and (".." in self.path.replace("\\", "/").split("/") or "\0" in self.path):
            yield "path must not climb with `..`"
        if self.reads == "folder" and self.kind != "transactions":
            yield "reads: folder is for monthly files of transactions"

    def _mapping(self) -> Iterator[str]:
        ours = COLUMNS[self.kind]
        for section in ("columns", "constants", "codes"):
            unknown = sorted(set(getattr(self, section)) - set(ours))
            if unknown:
                yield f"{section}: {', '.join(unknown)} is no column of {self.kind}; those are {', '.join(ours)}"
        twice = sorted(set(self.columns) & set(self.constants))
        if twice:
            yield f"{', '.join(twice)} is both a column and a constant"
        if set(self.constants) & set(_NO_CONSTANT):
            yield f"constants cannot hold {', '.join(_NO_CONSTANT)}"
        if "sales_value" in self.columns and "unit_price" in self.columns:
            yield "columns: map sales_value, or unit_price and quantity, not both"
        given = set(self.entering) | set(self.constants)
        for name in NEEDED[self.kind]:
            if name not in given:
                yield f"{name} is needed: map it in columns and say in legal.purposes what it is for"
        if self.kind == "transactions" and "sales_value" not in given and not {"unit_price", "quantity"} <= given:
            yield "sales_value (or unit_price and quantity) is needed, with a purpose"

    def _notation(self) -> Iterator[str]:
        if self.time is not None:
            yield from self.time.mistakes()
        if self.kind != "profiles" and self.time is None:
            yield "time is needed: format and zone"
        if self.kind == "transactions" and self.money is None:
            yield "money is needed: currency, decimal sign and minor units"
        if self.money is not None and self.money.decimal == self.money.thousands:
            yield "money: decimal and thousands sign are the same"

    def _law(self) -> Iterator[str]:
        unknown = sorted(set(self.legal.purposes) - set(COLUMNS[self.kind]))
        if unknown:
            yield f"legal.purposes: {', '.join(unknown)} is no column of {self.kind}"
        used = {p for purposes in self.legal.purposes.values() for p in purposes}
        without = sorted(used - set(self.legal.bases))
        if without:
            yield f"legal.bases: no basis for {', '.join(without)}"
        if self.kind == "profiles" and used - {Purpose.BIAS_ASSESSMENT}:
            yield "legal.purposes: profiles serve bias_assessment only, never training or scoring"


class OwnParams(RootModel[dict[Name, OwnSource]]):
    """Sources of your own, by name; at most one of a kind."""

    model_config = ConfigDict(frozen=True, strict=True)

    @model_validator(mode="after")
    def _one_of_a_kind(self) -> Self:
        twice = [kind for kind, n in Counter(s.kind for s in self.root.values()).items() if n > 1]
        if twice:
            raise ValueError(f"more than one source of {', '.join(sorted(twice))}")
        return self

    def of_kind(self, kind: str) -> str | None:
        """The name of the source of this kind."""
        return next((name for name, said in self.root.items() if said.kind == kind), None)

    def staged_as(self, source: str) -> str | None:
        """The name of the source that takes the place of one of the pipeline's."""
        return next((name for name, said in self.root.items() if STAGED_AS[said.kind] == source), None)


NOTHING_OWN = OwnParams({})


def shown(error: Any) -> str:
    """What was got, for a message; never of a field where a password may have been written by mistake."""
    hidden = "own" in error["loc"] or isinstance(error["input"], dict)
    return "" if hidden else f" (got {error['input']!r:.80})"
