"""Take in what is new, refresh states, monitor, ask for a review."""

from __future__ import annotations

import signal
import threading
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinops.adapters import one_at_a_time
from twinops.adapters.dvc import repro as dvc_repro
from twinops.adapters.dvc.waiting import Waiting, waiting
from twinops.adapters.registry_client import reviews as registry
from twinops.adapters.running_code import against_other
from twinops.cli._answer import Json, answer, home, talk
from twinops.cli._requests import listen
from twinops.cli._shop_files import ignored_text
from twinops.cli.repro import processors
from twinops.data.own_sources.declared_law import WHOLE
from twinops.entities.small_cells import shown
from twinops.errors import DataError, ParamsError, TwinopsError
from twinops.wiring import Project, open_project

if TYPE_CHECKING:
    from twinops.workflows.update.look import Seen
    from twinops.workflows.update.monitor import Monitored

app = typer.Typer(add_completion=False)

STAGES = ("collect_profile", "drift")
"""What monitoring needs, with all that these need: every source, features, drift."""
LEFT = frozenset({"choose", "train"})
"""A new candidate is `make run`'s: what was foretold and is held against what came is the word of the one there is."""
BEHIND = (
    "model and documents are of before this: `make run` makes them anew, and until then `make test` names them as old"
)
"""The last line of an update that left the candidate as it was."""


@app.command()
def update(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what came.")] = False,
    candidate: Annotated[bool, typer.Option("--candidate", help="Make a new candidate, too.")] = False,
    until: Annotated[str | None, typer.Option(help="Take months in up to this one (YYYY-MM).")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until it is stopped.")] = False,
    every: Annotated[int, typer.Option(min=1, max=86_400, help="Seconds between two looks of --watch.")] = 60,
    accept: Annotated[
        list[str] | None, typer.Option(help="A period that looks broken, and is right. May be said again.")
    ] = None,
    by: Annotated[
        str, typer.Option(help="Who says so: an account or an office; it stands in reports/updates.json.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Take in what is new, late or corrected, refresh states, and say whether what was foretold came.

    Nothing is promoted, nothing that is served is stopped: where a limit of the policy breaks, a review is asked for.
    Doing it twice changes nothing; what broke off is finished by the next. Ends with 3 where a person must look first.
    """
    if accept and (watch or not by.strip()):
        raise ParamsError("--accept needs --by, and is no part of --watch.", hint="Say who looked at it: --by NAME.")
    asked = {"until": until, "accepted": dict.fromkeys(accept or [], by.strip())}
    if watch:
        _watch(ctx, every, lambda: _once(ctx, asked, candidate=candidate))
        return
    if dry_run:
        seen = home(ctx).run("update.look", today=_today(), **asked)
        answer(seen, as_json=as_json, text=table_of(seen))
        raise typer.Exit(DataError.exit_code if seen.refused else 0)
    with (
        waiting(ctx.obj) as forks,
        one_at_a_time.alone(ctx.obj / "live" / "update.lock", "Another update"),
    ):
        found = _once(ctx, asked, candidate=candidate, forks=forks)
    answer({**found.entry, "again": found.again}, as_json=as_json, text=told(found))


def _today() -> date:
    return date.today()  # noqa: DTZ011  (the owner's own calendar)


def _once(ctx: typer.Context, asked: dict[str, Any], *, candidate: bool, forks: Waiting | None = None) -> Monitored:
    against_other(ctx.obj)
    with one_at_a_time.at_work(ctx.obj, "`twinops update`"):
        return _taken_in(ctx, asked, candidate=candidate, forks=forks)


def _taken_in(ctx: typer.Context, asked: dict[str, Any], *, candidate: bool, forks: Waiting | None) -> Monitored:
    project, today = home(ctx), _today()
    talk("looking at every source ...")
    seen = project.run("update.look", today=today, **asked)
    talk(table_of(seen))
    _refuse(seen)
    whole = project.run("update.begin", seen=seen)
    moved = project.run("update.move", seen=seen, today=today)
    talk("windows moved: " + ", ".join(moved.changed) if moved.changed else "windows stay")
    # the parameters may be others now
    project = open_project(ctx.obj)
    if project.params.own.root:
        project.run("sources.fingerprint", nets=seen.nets)
    listen(project, lanes=processors(), say=_sign)
    behind = _reproduce(project, candidate=candidate, many=bool(seen.taken), forks=forks)
    talk("states, what was foretold, and the report ...")
    found: Monitored = project.run("update.monitor", seen=whole)
    _ask(project, found)
    project.run("update.end", seen=seen)
    if behind:
        talk(BEHIND)
    return found


def _reproduce(project: Project, *, candidate: bool, many: bool, forks: Waiting | None = None) -> bool:
    """What monitoring needs; where there is no candidate that it can ask, everything. Whether the candidate stays."""
    whole = candidate or not project.run("update.usable")
    how = dvc_repro.Manner(processors(), many=many, left=frozenset() if whole else LEFT, waiting=forks)
    done = dvc_repro.reproduce(project.root, [] if whole else STAGES, how=how, say=_sign)
    talk(f"pipeline: {done.ran} ran, {done.cached} from the cache, {done.unchanged} unchanged")
    return not whole and bool(done.ran + done.cached)


def _ask(project: Project, found: Monitored) -> None:
    """Hand in every review that waits; one that nobody takes waits on."""
    from dataclasses import replace

    from twinops.workflows.update.reviews import keep

    asked = project.run("update.reviews", entry=found.entry)
    for number, one in enumerate(asked):
        if one.handed_in:
            continue
        try:
            where = registry.ask(one.model, one.reason)
        except TwinopsError as problem:
            talk(f"a review of {one.model} waits to be handed in: {problem.what}")
            continue
        asked = (*asked[:number], replace(one, handed_in=where), *asked[number + 1 :])
        keep(project.places, asked)
        talk(f"a review is asked for: {where}")


def _refuse(seen: Seen) -> None:
    if seen.refused:
        first = seen.refused[0]
        raise DataError(
            f"{first.source} {first.period} is {first.what.value}; nothing was taken in.", hint=f"It is {first.note}."
        )


def _watch(ctx: typer.Context, every: int, once: Any) -> None:
    """Look every so many seconds; what is wrong is said once and looked at again. Ends on Ctrl-C and SIGTERM."""
    stop, last = threading.Event(), ""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with one_at_a_time.alone(ctx.obj / "live" / "update.lock", "Another update"):
        while not stop.is_set():
            try:
                seen = open_project(ctx.obj).run("update.look", today=_today())
                if seen.taken or not (ctx.obj / "reports" / "updates.json").is_file():
                    talk(told(once()))
                last = ""
            except TwinopsError as problem:
                if problem.what != last:
                    talk(f"{problem.what} {problem.hint}")
                last = problem.what
            stop.wait(every)
    talk("stopped")


def table_of(seen: Seen) -> str:
    """What came, a line each."""
    parts = ", ".join(f"{name}: {n} part{'s' * (n != 1)}" for name, n in seen.parts.items())
    ignored = [ignored_text(name) for name in seen.ignored]
    if not seen.arrivals:
        return "\n".join([f"nothing new ({parts})", *ignored])
    head = ("source", "period", "what", "rows", "new", "twice", "gone")
    rows = [
        (
            a.source,
            "whole" if a.period == WHOLE else a.period,
            a.what.value,
            *(_count(n) for n in (a.rows, a.added, a.again, a.gone)),
        )
        for a in seen.arrivals
    ]
    wide = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, wide, strict=True)).rstrip() for row in (head, *rows)]
    notes = dict.fromkeys(
        f"{a.what.value}{f' {a.period}' * bool(a.why)}: {a.note}"
        for a in seen.arrivals
        if a.note and (a.why or not a.follows)
    )
    notes |= _consequences(seen)
    corrected = [
        f"{c.file}: {_few(c.replaced)} lines replaced, {_few(c.cancelled)} cancelled, {_few(c.new)} new"
        for c in seen.corrections
    ]
    return "\n".join([*lines, *corrected, *notes, *ignored])


def _consequences(seen: Seen) -> dict[str, None]:
    """One line for all periods that changed by the same newer one alone."""
    by: dict[str, list[str]] = {}
    for one in (a for a in seen.arrivals if a.follows and not a.why):
        by.setdefault(one.note, []).append(one.period)
    return {f"{', '.join(periods)}: {note}": None for note, periods in by.items()}


def told(found: Monitored) -> str:
    """What an update found, in a few lines."""
    entry = found.entry
    lines = [
        f"as of {entry['as_of']}: {entry['states']['subjects']:,} states, {entry['states']['proved']} proved equal to "
        f"a rebuild; {entry['foretold']:,} forecasts sealed"
    ]
    lines += [f"{j['name']}: {j['answer']}. {j['sentence']}" for j in entry["judged"]]
    lines.append(f"review asked for: {', '.join(entry['broken'])}" if entry["broken"] else "no limit newly broken")
    return "\n".join([*lines, "reports/monitoring.html shows it" + (" (unchanged)" if found.again else "")])


def _few(n: int) -> str:
    told = shown(n)
    return "few" if told is None else f"{told:,}"


def _count(n: int | None) -> str:
    return "" if n is None else f"{n:,}"


def _sign(stage: str, line: str) -> None:
    talk(f"[{stage}] {line}" if stage else line)
