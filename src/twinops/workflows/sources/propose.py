"""Propose how to declare a shop's own files, say what would become of them, and write that into `params.yaml`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from twinops import params as params_file
from twinops.data.own_sources.customer_number import NumberForm
from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.files.opening import months_named
from twinops.data.own_sources.known_by import spelled
from twinops.data.own_sources.look import SourceLook
from twinops.data.own_sources.look import look as look_at
from twinops.data.own_sources.proposing.addresses import addresses_of
from twinops.data.own_sources.proposing.drafting import Choice, Said, Trouble
from twinops.data.own_sources.proposing.proposal import Proposal, ShopFiles, look
from twinops.data.own_sources.proposing.sampling import headless, numbered_cells, sampled
from twinops.data.own_sources.receipts.overlapping import ACROSS, Overlap
from twinops.entities.small_cells import shown
from twinops.errors import DataError, ParamsError
from twinops.governance.open_fields import MARK, OWNER
from twinops.own_kinds import staged_as
from twinops.own_words import as_pairs
from twinops.params import Params, SwitchesParams
from twinops.whole_files import write as leave
from twinops.workflows.compliance_files import ABOUT_FILES
from twinops.workflows.declared_use import against_nobody
from twinops.workflows.params_file import with_sections
from twinops.workflows.places import Places
from twinops.workflows.policy_file import count_contacts_in
from twinops.workflows.sources.answered import answer
from twinops.workflows.sources.check import Checked, told
from twinops.workflows.sources.windows import Windows, windows_of

MOST_ROWS = 100_000_000


@dataclass(frozen=True)
class Proposed:
    """What was proposed, what would become of each source, which windows, and whether `params.yaml` says it now."""

    proposal: Proposal
    checked: tuple[Checked, ...]
    windows: Windows
    written: bool


Progress = Callable[[str, int, int | None], None]
"""Is told of which source how many records were read, and of about how many."""


def unseen(_source: str, _records: int, _of: int | None) -> None:
    """Nobody watches."""


def propose(files: ShopFiles, said: Said, write: bool, progress: Progress = unseen, *, places: Places) -> Proposed:
    """Look at the files, read all of them without keeping anything, and with `write` declare them.

    A file around the sales that cannot be read or declared is left out, told, and open in `compliance/`.

    Raises:
        DataError: a file cannot be read, what is needed is not found in it, or nothing of it would be taken.
        ParamsError: they are data of real people and the project's controller is made up, or `params.yaml` would not be
            one that can be acted on.
    """
    before, text = params_file.read(places.params), places.params.read_text(encoding="utf-8")
    proposal = _at_home(look(files, said), places.root)
    proposal, looks = _read(proposal, _Reading(proposal, text, before, places, progress))
    proposal = replace(proposal, notes=(*proposal.notes, *_objections(proposal, looks, places.root)))
    sections = with_sections(text, _sections(proposal, before, places.root), whole=("own",))
    draft = params_file.parse(yaml.safe_load(sections))
    against_nobody(places, draft.own)
    checked = tuple(told(looks[name], draft) for name in proposal.own)
    found = windows_of(looks["sales"].days, write=False, places=places, params=draft)
    params_file.parse(yaml.safe_load(with_sections(sections, found.params)))
    seen = Proposed(proposal, checked, found, False)
    return put(seen, places) if write else seen


def put(found: Proposed, places: Places) -> Proposed:
    """Declare what was proposed; the files are not read again."""
    before, text = params_file.read(places.params), places.params.read_text(encoding="utf-8")
    sections = with_sections(text, _sections(found.proposal, before, places.root), whole=("own",))
    final = with_sections(sections, found.windows.params)
    leave(places.params, final)
    _leave_open(places, found.proposal)
    params = params_file.parse(yaml.safe_load(final))
    count_contacts_in(places, params.features.horizon_days)
    answer(places, params.own)
    return replace(found, windows=replace(found.windows, written=True), written=True)


@dataclass(frozen=True)
class _Reading:
    """What the files are read as and into: the proposal, the parameters as text and parsed, and who watches."""

    proposal: Proposal
    text: str
    before: Params
    places: Places
    progress: Progress

    def of(self, name: str, body: dict[str, Any]) -> SourceLook:
        """Everything of one source.

        Raises:
            DataError, ParamsError: it cannot be read, or not as it would be declared.
        """
        needed = {n: self.proposal.own[n] for n in ("sales", *body.get("known_by", ()))}
        beside = replace(self.proposal, own=needed | {name: body})
        sections = _sections(beside, self.before, self.places.root)
        draft = params_file.parse(yaml.safe_load(with_sections(self.text, sections, whole=("own",))))
        source = declared(draft.own, name, root=self.places.root, max_rows=draft.sources.max_rows)
        expected = _expected(self.places.root / body["path"])
        return look_at(source, lambda records: self.progress(name, records, expected))


def _read(proposal: Proposal, reading: _Reading) -> tuple[Proposal, dict[str, SourceLook]]:
    """What would become of each source; those of which nothing would are left out, but for sales and who said no."""
    looks: dict[str, SourceLook] = {}
    left, choices = list(proposal.left_out), list(proposal.choices)
    for name, body in proposal.own.items():
        try:
            found = reading.of(name, body)
            if found.overlaps and "repeated" not in body:
                body["repeated"] = ACROSS
                choices += [Choice(name, "repeated", ACROSS, _why_across(overlap)) for overlap in found.overlaps]
                found = reading.of(name, body)
            _refuse_nothing(told(found, reading.before), body)
            looks[name] = found
        except (DataError, ParamsError) as lost:
            if name == "sales" or body["kind"] in ("consent", "optouts"):
                raise
            left.append(Trouble(Path(body["path"]).name, f"{lost.what} {lost.hint}"))
    own = {name: body for name, body in proposal.own.items() if name in looks}
    return replace(proposal, own=own, left_out=tuple(left), choices=tuple(choices)), looks


def _why_across(found: Overlap) -> str:
    """Which files overlap, and what becomes of that."""
    lines = f"{found.lines:,}" if shown(found.lines) else "a few"
    return (
        f"{printable(found.later)} has {lines} lines of {found.first} to {found.last} that stand in "
        f"{printable(found.earlier)}, too: they are taken once and counted as left out; what one file "
        "holds twice stays twice (keep takes all)"
    )


def _objections(proposal: Proposal, looks: dict[str, SourceLook], root: Path) -> Iterator[str]:
    """How many lines of a list of objections name somebody who is known, and how: none may be lost by its writing."""
    for name, body in proposal.own.items():
        if body["kind"] == "optouts" and name.startswith("optouts"):
            yield from _lines_of(body, proposal, looks, root)


def _lines_of(body: dict[str, Any], proposal: Proposal, looks: dict[str, SourceLook], root: Path) -> Iterator[str]:
    file = sampled(root / body["path"])
    file = headless(file) if file.header and not body.get("header", True) else file
    cells = numbered_cells(file, body["columns"]["household_id"])
    told = [(n, None if c is None else c.strip()) for n, c in cells if c is None or c.strip()]
    known = frozenset().union(*(looks[n].people for n in ("sales", "customers", "optins") if n in looks))
    form = NumberForm(tuple(body.get("digits", ())), tuple(body.get("prefixes", ())))
    if body.get("known_by"):
        lines = [c for _, c in told if c is not None]
        known = addresses_of(root / proposal.own[next(iter(body["known_by"]))]["path"]).known
        found, every = sum(spelled(line) in known for line in lines), len(lines)
        yield (
            f"{file.path.name} has {every:,} lines: {found:,} are addresses of known customers, {every - found:,} of "
            "nobody who is known here; these are kept, for a customer of that address who comes later."
        )
        return
    lines = [c for _, c in told if c is not None and (c in known or _may_be_somebody(c, form))]
    odd = [n for n, c in told if c is None or (c not in known and not _may_be_somebody(c, form))]
    written, every = sum(line in known for line in lines), len(lines)
    fitting = sum(line in known or not known.isdisjoint(form.every(line)) for line in lines)
    yield (
        f"{file.path.name} has {len(told):,} lines: {written:,} name a known customer as they are written, "
        f"{fitting - written:,} once blanks, dashes, lost zeros, case and words before the number are set aside, "
        f"{every - fitting:,} nobody who is known here; these are kept, for a customer of that number who comes later."
        + _not_understood(odd)
    )


def _may_be_somebody(cell: str, form: NumberForm) -> bool:
    """It is no title or remark, and no pattern that stands for many."""
    named = "@" in cell or not form.digits or any(map(str.isdecimal, cell))
    return named and not any(sign in cell for sign in "*?%")


def _not_understood(odd: Sequence[int | None]) -> str:
    """Lines that keep nobody out: how many, and where they stand."""
    if not odd:
        return ""
    first = ", ".join(f"{n}" for n in odd[:_NAMED] if n is not None)
    where = f" (line {first}{' and more' if len(odd) > _NAMED else ''})" if first else ""
    return (
        f" {len(odd):,} more{where} keep nobody out: a title, a remark, or a pattern for many such as *@firm, for "
        "which list each customer whom it means."
    )


_NAMED = 5


def _expected(path: Path) -> int | None:
    """About how many records a file or a folder of them holds, by its bytes; None: packed, or no text."""
    parts = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    try:
        with parts[0].open("rb") as file:
            head = file.read(2**16)
        lines, size = head.count(b"\n"), sum(p.stat().st_size for p in parts)
    except (OSError, IndexError):
        return None
    return None if b"\0" in head or not lines else int(size * lines / len(head))


def _leave_open(places: Places, proposal: Proposal) -> None:
    """What was left out, or not looked through, is open until it is read, or a person writes here what was done."""
    path, owes = places.compliance / ABOUT_FILES, f"{MARK}{OWNER}"
    left = {t.file: f"{owes}: {t}" for t in proposal.left_out}
    looked = {name: f"{owes}: {what}" for name, what in proposal.open.items()}
    if not left and not looked:
        path.unlink(missing_ok=True)
        return
    head = "# What is open about the files that were named; `twinops sources propose` with all files renews this.\n"
    said = {name: told for name, told in (("left_out", left), ("look_through", looked)) if told}
    leave(path, head + yaml.safe_dump(said, allow_unicode=True, sort_keys=True, width=110))


def _sections(proposal: Proposal, before: Params, root: Path) -> dict[str, Any]:
    """What the proposal changes. Sources of other kinds stay declared; the demonstration's are switched off."""
    kinds = {said["kind"] for said in proposal.own.values()}
    stays = {n: said for n, said in before.own.root.items() if said.kind not in kinds and n not in proposal.own}
    kept = {n: said.model_dump(mode="json", exclude_unset=True) for n, said in stays.items()}
    own = {name: as_pairs(body) for name, body in (kept | proposal.own).items()}
    mine = {staged_as(said["kind"]) for said in own.values()}
    return {
        "vault": {"keys": "store"},
        "sources": {"max_rows": max(MOST_ROWS, before.sources.max_rows)},
        "months": _batches(proposal.own["sales"], root),
        "own": own,
        "switches": {name: name in mine for name in SwitchesParams.known()},
    }


def _batches(sales: dict[str, Any], root: Path) -> list[str]:
    """Everything in one go, or the month of every file, until the receipts are counted."""
    if sales["reads"] != "folder":
        return [WHOLE]
    return sorted(months_named(root / sales["path"], sales["files"]))


def _at_home(proposal: Proposal, root: Path) -> Proposal:
    """Files of the project are named from its folder, so that it can be moved."""
    own = {name: said | {"path": _from(root, Path(said["path"]))} for name, said in proposal.own.items()}
    return replace(proposal, own=own)


def _from(root: Path, path: Path) -> str:
    full, home = path.resolve(), root.resolve()
    return full.relative_to(home).as_posix() if full.is_relative_to(home) else full.as_posix()


def _refuse_nothing(found: Checked, body: dict[str, Any]) -> None:
    if not found.nothing:
        return
    why = "; ".join(f"{m.reason} in {', '.join(m.lines)}" for m in found.mistakes) or "it holds no record"
    columns = ", ".join((*map(printable, body.get("columns", {}).values()), *map(printable, found.dropped_columns)))
    raise DataError(
        f"Nothing of {found.name} would be taken: {why}. Its columns are {columns}.",
        hint="Say what was taken for something else, as in --column time=NAME or --date %d.%m.%Y.",
    )
