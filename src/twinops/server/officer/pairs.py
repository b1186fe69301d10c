"""The page of pairs of records in doubt: what speaks for one person and what against, a decision with its reason, undo.

Nobody's data are shown: a pair is a code, two sources and bits of evidence. Values stand on a terminal alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Response, request
from mlflow.exceptions import MlflowException

from twinops.errors import TwinopsError
from twinops.server.officer import dossier
from twinops.server.officer.pages import Route, html, page, said
from twinops.server.officer.requests import officer_of, rights_of
from twinops.server.refusals import mistake, refusal
from twinops.server.registry import callers as actors
from twinops.server.registry import rights_log
from twinops.server.registry.artifacts import governed
from twinops.server.registry.store import GovernedStore
from twinops.wiring import Project, open_project
from twinops.workflows.links.decide import PairAsked, PairTaken
from twinops.workflows.links.explain import PairExplained
from twinops.workflows.links.pairs import DECIDED

PATH = "/twinops/pairs"
MOST = 50
BUTTONS = {"join": "One person", "part": "Two persons", "reopen": "Take the decision back"}
LISTS = {"review": "In doubt", "joined": "Joined", DECIDED: "Decided"}


@dataclass(frozen=True)
class ShownPair:
    """One pair as the page shows it, with what may be said of it."""

    told: PairExplained
    may: tuple[tuple[str, str], ...]
    digest: str
    token: str


def routes() -> tuple[Route, ...]:
    """Path, method and function of each."""
    return ((PATH, "GET", listed), (PATH, "POST", decided))


@page
def listed() -> Response:
    """The list, or one pair."""
    store = governed()
    officer_of(store)
    return _page(store)


@page
def decided() -> Response:
    """One decision. What goes wrong is told on the same page, with the reason as it was typed."""
    store = governed()
    officer_of(store)
    try:
        taken = _done(store)
    except (MlflowException, TwinopsError) as problem:
        told = said(problem) if isinstance(problem, MlflowException) else str(problem)
        status = problem.get_http_status_code() if isinstance(problem, MlflowException) else 400
        return _page(store, wrong=told, status=status)
    return _page(store, done=taken.text())


def _done(store: GovernedStore) -> PairTaken:
    form, project = request.form, open_project(store.home.root)
    code, says = form.get("pair", ""), form.get("act", "")
    if says not in BUTTONS:
        raise mistake("Choose what to do.")
    about = f"{code} {_digest(project)}"
    if not dossier.form_fits(store, actors.current(), about, token=form.get("token", "")):
        raise refusal("Somebody decided something meanwhile, or the form is old. Read it, then decide.")
    asked = PairAsked(code, "", says, form.get("reason", ""))
    taken: PairTaken = project.run("links.decide", asked=asked, by=store.actor().account)
    if taken.refused:
        raise refusal(taken.refused)
    rights_log.catch_up(store, rights_of(store))
    return taken


def _digest(project: Project) -> str:
    """How far the ledger of rights has grown: a form is about what was seen."""
    return str(len(project.rights.entries()))


def _page(store: GovernedStore, *, status: int = 200, done: str = "", wrong: str = "") -> Response:
    which = request.values.get("list", "review")
    try:
        project = open_project(store.home.root)
        if which not in LISTS:
            raise mistake("There is no such list of pairs.")
        found = project.run("links.listed", which=which, most=MOST)
        shown = _shown(store, project, request.values.get("pair", ""))
    except TwinopsError as problem:
        raise mistake(str(problem)) from None
    values = {"lines": found.pairs, "all": found.all, "which": which, "lists": LISTS, "shown": shown,
              "typed": "" if done else request.form.get("reason", ""),
              "where": lambda **more: f"{PATH}?{urlencode(more)}"}  # fmt: skip
    return html("pairs.html.j2", status=status, done=done, wrong=wrong, **values)


def _shown(store: GovernedStore, project: Project, code: str) -> ShownPair | None:
    if not code:
        return None
    told: PairExplained = project.run("links.explain", one=code, other="")
    digest = _digest(project)
    may = ("reopen",) if told.decided else ("join", "part")
    token = dossier.form_token(store, actors.current(), f"{code} {digest}")
    return ShownPair(told, tuple((word, BUTTONS[word]) for word in may), digest, token)
