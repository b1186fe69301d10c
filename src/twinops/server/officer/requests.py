"""The page of consumers' requests, for whoever has no terminal: overdue first, each with what may be done now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect, request
from mlflow.exceptions import MlflowException

from twinops.errors import TwinopsError
from twinops.governance.subject_cases import (
    ARTICLES,
    GROUNDS,
    OUTCOMES,
    RESTRICTS,
    RequestCase,
    RequestKind,
    Step,
    StepAsked,
    against_step,
    cases_of,
    queue,
)
from twinops.ports import Rights
from twinops.server.officer import dossier
from twinops.server.officer.pages import Route, html, page, said
from twinops.server.refusals import mistake, refusal
from twinops.server.registry import callers as actors
from twinops.server.registry import cases, rights_log
from twinops.server.registry.artifacts import governed
from twinops.server.registry.store import GovernedStore
from twinops.wiring import open_project
from twinops.workflows.subject.casework import case_of, take_step, words_of
from twinops.workflows.subject.desk import MAY, WRONG_OFFICE, ActingOfficer

PATH = "/twinops/requests"
A_PAGE = 50
BUTTONS = {
    Step.IDENTIFIED: "They are who they say",
    Step.WORKING: "Take into work",
    Step.EXTENDED: "Extend by two months",
    Step.ANSWERED: "Answered",
    Step.REFUSED: "Refuse",
}
DONE = {
    Step.IDENTIFIED: "It is noted how it was checked who asks.",
    Step.WORKING: "In work. `twinops subject requests work` does what needs no hand.",
    Step.EXTENDED: "Extended. Tell whoever asks, with the reasons, within the first month.",
    Step.ANSWERED: "Answered.",
    Step.REFUSED: "Refused. Tell whoever asks, with the reasons and that they may complain (art. 12(4)).",
}


@dataclass(frozen=True)
class ShownCase:
    """One case as the page shows it: what may be done, and what was said in it."""

    case: RequestCase
    may: tuple[tuple[str, str], ...]
    words: Mapping[int, Mapping[str, str]]
    token: str
    late: bool


def routes() -> tuple[Route, ...]:
    """Path, method and function of each."""
    return ((PATH, "GET", listed), (PATH, "POST", decided))


@page
def listed() -> Response:
    """The queue, or one case."""
    store = governed()
    officer_of(store)
    done = request.args.get("done", "")
    return _page(store, done=DONE[Step(done)] if done in {s.value for s in DONE} else None)


@page
def decided() -> Response:
    """One step of one case. What goes wrong is told on the same page, with the reason as it was typed."""
    store = governed()
    officer, form = officer_of(store), request.form
    try:
        step = _done(store, officer)
    except (MlflowException, TwinopsError) as problem:
        told = said(problem) if isinstance(problem, MlflowException) else str(problem)
        status = problem.get_http_status_code() if isinstance(problem, MlflowException) else 400
        return _page(store, wrong=told, typed=form.get("reason", ""), status=status)
    return redirect(f"{PATH}?{urlencode({'case': form.get('case', ''), 'done': step.value})}", code=303)  # type: ignore[return-value]


def officer_of(store: GovernedStore) -> ActingOfficer:
    """The caller, where an office that takes requests is theirs by the rules this server works with.

    Raises:
        MlflowException: they hold none.
    """
    with store.reading() as now:
        active = cases.rules(now).offices
    found = None if active is None else active.officer(store.actor().account, on=store.now().date())
    if found is None or found.office not in MAY:
        raise refusal(WRONG_OFFICE)
    return ActingOfficer(str(found.office), found.name or str(found.account))


def rights_of(store: GovernedStore) -> Rights:
    """The ledger of rights of the project that this server stands in."""
    return open_project(store.home.root).rights


def _done(store: GovernedStore, officer: ActingOfficer) -> Step:
    form = request.form
    word = form.get("act", "")
    if word not in {s.value for s in BUTTONS}:
        raise mistake("Choose what to do.")
    rights = rights_of(store)
    case = case_of(rights, form.get("case", ""))
    if form.get("digest") != case.digest or not _fits(store, case):
        raise refusal("Somebody did something with this case meanwhile, or the form is old. Read it, then decide.")
    step = Step(word)
    ground = form.get("restricts" if step is Step.WORKING else "ground", "") if step in GROUNDED else ""
    outcome = form.get("outcome", "") if step is Step.ANSWERED else ""
    against = take_step(rights, case, StepAsked(step, form.get("reason", ""), ground, outcome), officer)
    if against:
        raise refusal(against)
    rights_log.catch_up(store, rights)
    return step


GROUNDED = (Step.REFUSED, Step.WORKING)


def _fits(store: GovernedStore, case: RequestCase) -> bool:
    token = request.form.get("token", "")
    return dossier.form_fits(store, actors.current(), f"{case.id} {case.digest}", token=token)


def _page(store: GovernedStore, *, status: int = 200, **told: Any) -> Response:
    try:
        rights = rights_of(store)
        rights_log.catch_up(store, rights)
        known = cases_of(rights.entries())
        chosen = known.get(request.values.get("case", ""))
        shown = None if chosen is None else _shown(store, rights, chosen)
    except TwinopsError as problem:
        raise mistake(str(problem)) from None
    today, every = store.now().date(), queue(known.values())
    number = max(1, request.args.get("page", 1, type=int))
    values = {
        "lines": every[(number - 1) * A_PAGE : number * A_PAGE],
        "number": number,
        "pages": -(-len(every) // A_PAGE),
        "open": sum(not c.closed for c in every),
        "overdue": sum(c.overdue(today) for c in every),
        "today": today,
        "articles": ARTICLES,
        "grounds": GROUNDS,
        "restricts": RESTRICTS,
        "outcomes": OUTCOMES,
        "contest": RequestKind.CONTEST,
        "restriction": RequestKind.RESTRICTION,
        "shown": shown,
        "left": _left(today),
        "where": lambda **more: f"{PATH}?{urlencode(more)}",
    }
    return html("requests.html.j2", status=status, **{"done": None, "wrong": None, "typed": "", **values, **told})


def _shown(store: GovernedStore, rights: Rights, case: RequestCase) -> ShownCase:
    today = store.now().date()
    # asked with everything filled in: what is left against it is the case's own state
    full = {s: StepAsked(s, "-", case.grounds[0] if s is Step.REFUSED else RESTRICTS[0], OUTCOMES[0]) for s in BUTTONS}
    may = tuple((s.value, BUTTONS[s]) for s, asked in full.items() if not against_step(case, asked, today=today))
    token = dossier.form_token(store, actors.current(), f"{case.id} {case.digest}")
    return ShownCase(case, may, words_of(rights, case), token, case.overdue(today))


def _left(today: date) -> Callable[[RequestCase], str]:
    """How long there is, in words."""

    def told(case: RequestCase) -> str:
        days = (case.due - today).days
        return f"{-days} days late" if days < 0 else "today" if days == 0 else f"{days} days left"

    return told
