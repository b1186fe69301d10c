"""Who else holds data of the persons: declared recipients (GDPR art. 19), the shop's own files, and exports."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from twinops.entities.rights import Right, RightsEntry
from twinops.governance.assessment import questions as dpia
from twinops.own_kinds import staged_as
from twinops.own_params import OwnParams
from twinops.workflows.compliance_files import text_of
from twinops.workflows.places import Places


def recipients(places: Places) -> list[str]:
    """As the impact assessment names them."""
    path = places.compliance / "dpia.yaml"
    actors = dpia.read(text_of(path)).declared.actors if path.is_file() else None
    if actors is None:
        return []
    return [*(actors.recipients or ()), *(f"{one} (processor)" for one in actors.processors or ())]


def own_files(own: OwnParams, *, panelist: bool, without: Collection[str] = ()) -> Iterator[str]:
    """Files about people that twinops reads and does not own; tables of goods and mailings hold nobody.

    A panel that names no customer is of other people; it is told only where a `panelist` is asked about. In the sources
    of the pipeline `without`, and of the `kind:` that is named so, no row of theirs was read.
    """
    for name, said in sorted(own.root.items()):
        others = "link" in said.form.columns.values() and not said.by_customer
        empty = not {staged_as(said.kind), f"kind:{said.kind}"}.isdisjoint(without)
        if said.form.personal and (panelist or not others) and not empty:
            yield f"source {name} ({said.path or said.url_from or said.files})"


def exports(entries: Iterable[RightsEntry], sids: Collection[str]) -> Iterator[str]:
    """What left by twinops, as the ledger of rights knows: tables of scores, by name, and copies for the person."""
    tables: dict[tuple[str, ...], list[RightsEntry]] = {}
    for entry in entries:
        about = entry.act.about
        if entry.right is Right.SCORED:
            named = about.get("file", "its name was not kept")
            how = (named, entry.act.purpose or "", about.get("form", ""), about.get("sealed", "no"))
            tables.setdefault(how, []).append(entry)
        elif entry.right is Right.EXPORTED and entry.sid in sids:
            yield (
                f"A copy of their data for the person, made on {entry.at:%Y-%m-%d} (art. 15): theirs to keep; whoever "
                "kept another deletes it."
            )
    yield from (_table(how, made) for how, made in tables.items())


def _table(how: Sequence[str], made: Sequence[RightsEntry]) -> str:
    named, purpose, form, sealed = how
    first, last = (f"{one.at:%Y-%m-%d}" for one in (made[0], made[-1]))
    days = f"on {last}" if first == last else f"from {first} to {last}"
    when = days if len(made) == 1 else f"{len(made):,} times {days}, the last time"
    rows = int(made[-1].act.about.get("rows", 0))
    told = f"A table of scores for {purpose.replace('_', ' ')} ({named}), written {when} with {rows:,} rows as {form}"
    if sealed == "yes":
        return f"{told}, sealed: a row of theirs opens no more in any copy of it."
    return (
        f"{told} in the open: whether they are in it was not kept. Whoever holds it looks, and deletes their row there "
        "and in every copy."
    )
