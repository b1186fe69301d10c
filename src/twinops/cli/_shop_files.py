"""Files of a shop that a person names: what may be said beside them, the questions, and what was found, in words."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from twinops.cli._answer import seen, talk
from twinops.cli._asking import asked
from twinops.entities.small_cells import HIDDEN
from twinops.entities.wording import MANY
from twinops.errors import DataError, ParamsError

if TYPE_CHECKING:
    from twinops.data.own_sources.look import Mistake
    from twinops.data.own_sources.proposing.drafting import Said
    from twinops.data.own_sources.proposing.proposal import ShopFiles
    from twinops.wiring import Project
    from twinops.workflows.sources.check import Checked
    from twinops.workflows.sources.propose import Proposed
    from twinops.workflows.sources.windows import Windows

OFFICE = "office."
SALES = "Receipt lines: CSV, .gz, Excel, Parquet, or a folder of parts."
Customers = Annotated[Path | None, typer.Option(help="Profiles, for the assessment of groups.")]
OptIns = Annotated[Path | None, typer.Option(help="Who agreed to what.")]
OptOuts = Annotated[Path | None, typer.Option(help="Who objected.")]
Also = Annotated[
    list[str] | None,
    typer.Option(
        help="Campaigns, who got them, redemptions, products, a panel, comments, service cases, registrations, exports "
        "of platforms: told by their columns, or KIND=FILE; repeat it."
    ),
]
Currency = Annotated[str | None, typer.Option(help="ISO 4217, such as EUR.")]
Zone = Annotated[str | None, typer.Option(help="Of the shop's clock, such as Europe/Berlin.")]
DateFormat = Annotated[str | None, typer.Option(help="How days are written, as in %d/%m/%Y.")]
ControllerName = Annotated[str | None, typer.Option(help="Who is responsible (GDPR art. 4(7)).")]
BasisSaid = Annotated[
    Literal["consent", "contract", "legitimate_interest", "open"] | None,
    typer.Option(help="On which purchases may train and score a twin."),
]
TextsBasis = Annotated[
    Literal["consent", "contract", "legitimate_interest", "open"] | None,
    typer.Option(help="On which comments, posts, cases and registrations may be read."),
]
OffersBasis = Annotated[
    Literal["consent", "contract", "legitimate_interest", "open"] | None,
    typer.Option(help="On which customers may be sent offers."),
]
GroupsBasis = Annotated[
    Literal["consent", "contract", "legitimate_interest", "open"] | None,
    typer.Option(help="On which profiles may be used to assess groups."),
]
PanelBasis = Annotated[
    Literal["consent", "contract", "legitimate_interest", "open"] | None,
    typer.Option(help="On which panelists' answers may train the twin."),
]
CollectedFrom = Annotated[str | None, typer.Option(help="From whom, and how, the data were collected.")]
Notice = Annotated[str | None, typer.Option(help="The privacy notice that people were given.")]
RetentionDays = Annotated[int | None, typer.Option(help="For how many days a row may be kept.", min=1, max=3_650)]
Discount = Annotated[
    Literal["taken_off", "to_take_off"] | None,
    typer.Option(help="Whether discounts are off the price or amount already."),
]
DiscountAs = Annotated[
    Literal["amount", "amount_per_piece", "percent", "fraction"] | None,
    typer.Option(help="How a discount is written."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(help="OURS=THEIRS, where a column was not told right; with its file as customers.birth_year=THEIRS."),
]
Codes = Annotated[
    list[str] | None,
    typer.Option("--code", help="What a word of theirs means: optins.offers:TAK=yes, customers.gender:K=female."),
]
Synthetic = Annotated[bool, typer.Option("--synthetic", help="The rows are made up, and about nobody.")]
Yes = Annotated[bool, typer.Option("--yes", help="Ask nothing and write it; what is not said stays open.")]


def asks(*, yes: bool, as_json: bool) -> bool | None:
    """Whether to ask (a person sits there), to write unasked (`--yes`: None), or only to show."""
    return None if yes else not as_json and sys.stdin.isatty()


def agreed(project: Project, files: ShopFiles, told: Said, *, asks: bool | None) -> Proposed:
    """What was proposed, and written and watched if somebody agreed; a person is shown it once, when all is said."""
    talk("looking at your files ...")
    holders: dict[str, tuple[str, str]] = {}
    if asks:
        answers = asked(project.run("sources.ask", files=files, said=told))
        holders = {name.removeprefix(OFFICE): answers.pop(name) for name in [*answers] if name.startswith(OFFICE)}
        told = replace(told, **answers)
    found: Proposed = project.run("sources.propose", files=files, said=told, write=False, progress=_Progress())
    if asks:
        typer.echo(seen(f"\n{project.told(proposed_text(found))}"))
        if not typer.confirm("Write this into params.yaml?", default=True):
            return found
    if asks is False:
        return found
    found = project.run("sources.declare", found=found, holders=holders)
    again = type(project)(project.root)
    again.run("sources.fingerprint")
    return found


def after(found: Proposed, project: Project, *, asks: bool | None) -> str:
    """What is left to be told: all of it, or where it was shown and agreed to, that it was written."""
    told = "written into params.yaml" if found.written else "nothing was written"
    hint = "" if found.written or asks else " (--yes writes it)"
    return f"{told}{hint}" if asks else f"{project.told(proposed_text(found))}\n{told}{hint}"


class _Progress:
    """How far the reading is: now and then on a terminal, and else a line a file."""

    EVERY_S = 2.0

    def __init__(self) -> None:
        self._source, self._began, self._last = "", 0.0, 0.0

    def __call__(self, source: str, records: int, of: int | None) -> None:
        now = monotonic()
        if source != self._source:
            self._source, self._began, self._last = source, now, now
            talk(f"reading own.{source}: about {of:,} records ..." if of else f"reading own.{source} ...")
        if not sys.stderr.isatty() or now - self._last < self.EVERY_S:
            return
        self._last, share = now, min(records / of, 1.0) if of else 0.0
        left = f", {share:.0%}, about {(now - self._began) * (1 - share) / share:.0f} s left" if share else ""
        talk(f"  {records:,} records{left}")


def there(*paths: Path | None, also: Iterable[str] = ()) -> ShopFiles:
    """The files by their full paths.

    Raises:
        DataError: one of them is not there.
    """
    from twinops.data.own_sources.files.databases import file_and_table
    from twinops.data.own_sources.proposing.more_files import path_of
    from twinops.data.own_sources.proposing.proposal import ShopFiles

    more = {told: path_of(told) for told in also}
    every = (path for path in (*paths, *more.values()) if path is not None)
    lost = [path.name for path in every if not file_and_table(path)[0].exists()]
    if lost:
        raise DataError(f"There is no {', '.join(lost)}.", hint="Check the names; they count from this folder.")
    sales, *others = (None if path is None else path.resolve() for path in paths)
    if sales is None:
        raise DataError("There are no sales.", hint="Name their file.")
    full = tuple(f"{told.removesuffix(str(path))}{path.resolve()}" for told, path in more.items())
    return ShopFiles(sales, *others, more=full)


def said(
    facts: Mapping[str, str | int | None], *, columns: list[str], synthetic: bool, codes: Iterable[str] = ()
) -> Said:
    """What the options say.

    Raises:
        ParamsError: a column is not said as OURS=THEIRS, or a word not as COLUMN:THEIRS=MEANING.
    """
    from twinops.data.own_sources.proposing.drafting import Said

    pairs = [text.partition("=") for text in columns]
    if any(not ours or not sign or not theirs for ours, sign, theirs in pairs):
        raise ParamsError("A column is said as OURS=THEIRS.", hint="For example --column household_id=Kundennr.")
    mapped = {ours: theirs for ours, _, theirs in pairs}
    meant = [text.rpartition("=") for text in codes]
    if any(not means or ":" not in place or place.endswith(":") for place, _, means in meant):
        raise ParamsError("A word is said as COLUMN:THEIRS=MEANING.", hint="For example --code optins.offers:TAK=yes.")
    given: dict[str, Any] = {name: value for name, value in facts.items() if value is not None}
    return Said(**given, columns=mapped, codes={p: means for p, _, means in meant}, synthetic=synthetic)


def proposed_text(found: Proposed) -> str:
    proposal = found.proposal
    lines = []
    for source in proposal.own:
        lines.append(f"own.{source}:")
        for c in (c for c in proposal.choices if c.source == source):
            looks = f" [{' | '.join(c.sample)}]" if c.sample else ""
            lines.append(f"  {c.what}: {c.value}{looks}  ({c.why})")
    lines += [f"note: {note}" for note in proposal.notes]
    lines += [f"left out, and open until it can be read: {trouble}" for trouble in proposal.left_out]
    lines += [f"open: {what}" for what in proposal.open.values()]
    lines += ["", *map(checked_text, found.checked), "", *found.windows.why, ""]
    for q in proposal.questions:
        lines.append(f"not said yet: {q.text} Until then: {q.meanwhile}. It goes into {q.where}.")
    facts = [fact for said in proposal.own.values() for fact in (*said["legal"].items(), *said.items())]
    opened = sorted({name for name, value in facts if value == "open"})
    if opened:
        lines.append(f"open until a person says it, and nothing can be promoted before: {', '.join(opened)}")
    return "\n".join(lines)


def windows_text(found: Windows) -> str:
    lines = list(found.why)
    if found.params and not found.changed:
        lines.append("params.yaml says all of this already.")
    lines += [f"  {name}: {old} -> {_in(found.params, name)}" for name, old in found.changed.items()]
    if found.changed:
        lines.append("Written to params.yaml." if found.written else "Nothing was written; add --write.")
    return "\n".join(lines)


def _in(params: dict[str, Any], name: str) -> Any:
    section, _, part = name.partition(".")
    return params[section][part] if part else params[section]


def checked_text(found: Checked) -> str:
    lines = [
        f"own.{found.name} ({found.kind}): {found.records:,} {_rows(found)} in {found.files} file(s)",
        f"  would be taken: {found.taken:,}{_of_whom(found)}{_by_month(found.months)}",
        f"  would be quarantined: {_listed(found.quarantined) or 'none'}",
        f"  columns without a declared purpose, not read: {', '.join(map(_safe, found.dropped_columns)) or 'none'}",
        f"  columns the files do not have, filled: {', '.join(found.filled_columns) or 'none'}",
    ]
    lines += [f"  left out: {_listed(found.left_out)}"] if found.left_out else []
    lines += [f"  {line}" for line in _lost(found.lost)]
    if found.repeated != 0:
        lines.append(
            f"  equal lines, each taken: {_listed({'again': found.repeated})} (repeated: drop takes them once)"
        )
    lines += [f"  files overlap: {one}" for one in found.overlaps]
    if found.crowd is not None:
        lines.append(
            f"  beware: one id, which looks like {found.crowd.shape}, has {found.crowd.rows:,} rows "
            f"({found.crowd.share:.0%}), first in {', '.join(found.crowd.lines)}; if it is of nobody, as a card of the "
            f"staff or the till is, list it under own.{found.name}.missing in params.yaml"
        )
    lines += [f"  - {told}" for told in mistakes_told(found.mistakes)]
    lines += [f"  {ignored_text(name)}" for name in found.ignored]
    if found.not_collected:
        lines.append(f"  months that `months` in params.yaml leaves out: {', '.join(found.not_collected)}")
    if found.holes:
        lines.append(f"  beware: no receipt lies in {', '.join(found.holes)}, though some do before and after")
    if found.without_rows:
        lines.append(f"  months without a row: {', '.join(found.without_rows)}")
    return "\n".join(lines)


def ignored_text(name: str) -> str:
    """Of a file in a folder of months."""
    return f"{_safe(name)} lies there and is not read: its name is not as `files` in params.yaml says"


def mistakes_told(mistakes: Iterable[Mistake]) -> Iterator[str]:
    """One line a mistake."""
    for m in mistakes:
        where = f" (column {_safe(m.column)})" if m.column else ""
        looks = f"; looks like {' or '.join(m.shapes)}" if m.shapes else ""
        fits = f"; taken: {m.taken}" if m.taken else ""
        mend = f"; {m.mend}" if m.mend else ""
        yield f"{m.reason}{where}: {', '.join(m.lines)}{looks}{fits}{mend}"


def _rows(found: Checked) -> str:
    """A line of opt-ins holds an answer a purpose, and each is counted."""
    if found.kind == "optouts":
        return "objections, one a line and purpose,"
    return "answers" if found.kind == "consent" else "records"


def _of_whom(found: Checked) -> str:
    """Rows about nobody, such as products, are told alone."""
    whom = "panelists" if found.kind == "panel" else MANY
    return f" of {found.households:,} {whom}" if found.households else ""


def _by_month(months: dict[str, Any]) -> str:
    return f"; {_listed(months)}" if months else ""


def _lost(lost: Mapping[str, int | None]) -> Iterator[str]:
    """What was lost of rows that are taken, each in a sentence."""
    from twinops.data.own_sources.consents.answers import UNKNOWN_PURPOSE
    from twinops.data.own_sources.consents.undated import UNDATED_NO
    from twinops.data.own_sources.consents.unread_noes import UNREAD
    from twinops.data.own_sources.mapping import OTHER_LANGUAGE, UNKNOWN_ANSWER

    for what, count in lost.items():
        n = HIDDEN if count is None else f"{count:,}"
        if what == OTHER_LANGUAGE:
            yield f"texts that are not read, for they are declared not to be in English: {n}; their rows are taken"
        elif what == UNKNOWN_ANSWER:
            yield f"answers that are no yes and no no that is known, taken for a no: {n}"
        elif what == UNKNOWN_PURPOSE:
            yield f"noes for a purpose that nobody knows, taken for a no to every purpose: {n}"
        elif what == UNREAD:
            yield f"noes of which something else cannot be read, taken all the same: {n}"
        elif what == UNDATED_NO:
            yield f"noes whose day cannot be read, held to stand from the file's last day on: {n}"
        else:
            yield f"answers that could not be read, left empty: {what.removesuffix('_unreadable')} {n}"


def _listed(counts: dict[str, Any]) -> str:
    return ", ".join(f"{what} {HIDDEN if n is None else f'{n:,}'}" for what, n in counts.items())


def _safe(name: str) -> str:
    from twinops.data.own_sources.files.cells import printable

    return printable(name)
