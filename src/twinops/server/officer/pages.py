"""The pages for people: the queue of what waits, and everything about one version with the officer's form.

Under MLflow's login and our origin guard; no script at all, so the content-security policy allows none.
"""

from __future__ import annotations

import functools
import posixpath
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, redirect, request
from jinja2 import Environment, PackageLoader, StrictUndefined
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST

from twinops.entities.approval import Act
from twinops.evaluation.printed_page import printed
from twinops.governance.policy.resolution import MIN_REASON
from twinops.server.officer import acts as desk
from twinops.server.officer import dossier, inert_documents, judging, needed, presenting, rules, rulings
from twinops.server.officer import history as past
from twinops.server.officer.acts import Deed
from twinops.server.officer.dossier import Dossier, Waiting
from twinops.server.officer.rulings import RulingAsked
from twinops.server.refusals import mistake, refusal
from twinops.server.registry import callers as actors
from twinops.server.registry import cases
from twinops.server.registry.artifacts import governed
from twinops.server.registry.store import STATED, GovernedStore

Route = tuple[str, str, Callable[[], Any]]
A_PAGE = 50
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
BUTTONS = {
    Act.REQUEST: "Ask for a review",
    Act.APPROVE: "Approve",
    Act.ASK: "Ask for changes",
    Act.REJECT: "Reject",
    Act.REVOKE: "Revoke the approval",
}
TAKE_DOWN = "take-down"
RESOLVE, WITHDRAW = "resolve", "withdraw"
DONE = {
    "request": "A review is requested.",
    "approve": "Approved. Whoever may edit the model can set the protected alias now.",
    "ask": "Changes are asked for.",
    "reject": "Rejected.",
    "revoke": "The approval is revoked: the version is refused at every door from now on.",
    TAKE_DOWN: "The protected alias is taken down.",
    RESOLVE: "The gate is resolved for a time; its answer stays as it is.",
    WITHDRAW: "The ruling is withdrawn: the gate stands in the way again.",
}
_pages = Environment(
    loader=PackageLoader("twinops.server.officer", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def routes() -> tuple[Route, ...]:
    """Path, method and function of each."""
    return (
        ("/twinops/", "GET", queue),
        ("/twinops/review", "GET", shown),
        ("/twinops/review", "POST", decided),
        ("/twinops/file", "GET", file),
        ("/twinops/brief.pdf", "GET", brief),
        ("/twinops/style.css", "GET", style),
        ("/twinops/icon.svg", "GET", icon),
    )


def page(function: Callable[[], Response]) -> Callable[[], Response]:
    """A refusal becomes a page with its sentence; every answer carries the strict headers."""

    @functools.wraps(function)
    def answered() -> Response:
        try:
            response = function()
        except MlflowException as problem:
            response = html("problem.html.j2", sentence=said(problem), status=problem.get_http_status_code())
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return answered


@page
def queue() -> Response:
    """What waits, for whom, since when; what waits longest comes first."""
    store = governed()
    lines = dossier.queue(store)
    whom = request.args.get("for", "")
    counts = Counter(line.waits_for or "nobody" for line in lines)
    chosen = sorted((line for line in lines if not whom or (line.waits_for or "nobody") == whom), key=_urgency)
    number = max(1, request.args.get("page", 1, type=int))
    shown = chosen[(number - 1) * A_PAGE : number * A_PAGE]
    return html(
        "queue.html.j2",
        lines=shown,
        against=dossier.in_the_way(store, shown),
        number=number,
        pages=-(-len(chosen) // A_PAGE),
        counts=sorted(counts.items()),
        total=len(lines),
        whom=whom,
        no_policy=_no_policy(store),
        waiting=rules.waiting(store),
        now=store.now(),
    )


@page
def shown() -> Response:
    """Everything about one version."""
    name, version = _which(request.args)
    return _dossier_page(governed(), name, version, done=DONE.get(request.args.get("done", "")))


@page
def decided() -> Response:
    """The officer's form. What goes wrong is told on the same page, with the reason as it was typed."""
    store = governed()
    name, version = _which(request.form)
    try:
        what = _act(store, name, version)
    except MlflowException as problem:
        status = problem.get_http_status_code()
        form = request.form
        typed = {"typed": form.get("reason", ""), "typed_gate": form.get("gate", "")}
        return _dossier_page(store, name, version, wrong=said(problem), status=status, **typed)
    return redirect(dossier_address(name, version, done=what), code=303)  # type: ignore[return-value]


@page
def file() -> Response:
    """One file that came with the evidence: pictures as pictures, everything else as plain text."""
    store = governed()
    held = dossier.dossier(store, *_which(request.args), compare=False)
    content = dossier.file_of(store, held, request.args.get("path", "")).read_bytes()
    picture = content.startswith(b"\x89PNG\r\n\x1a\n")
    response = Response(content, mimetype="image/png" if picture else "text/plain")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=600"
    return response


@page
def brief() -> Response:
    """The one page on paper."""
    store = governed()
    held = dossier.dossier(store, *_which(request.args))
    made = presenting.brief_of(held)
    if made is None:
        raise MlflowException("Nothing was handed in that could be judged.", RESOURCE_DOES_NOT_EXIST)
    response = Response(printed(made.title, made.passages), mimetype="application/pdf")
    named = f"brief-{held.case.version}.pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{named}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@page
def style() -> Response:
    """The one style sheet."""
    return _static("style.css", "text/css")


@page
def icon() -> Response:
    """The tab's icon."""
    return _static("icon.svg", "image/svg+xml")


def dossier_address(name: str, version: int, **more: str) -> str:
    """The page of one version."""
    return "/twinops/review?" + urlencode({"name": name, "version": version, **more})


def file_address(held: Dossier, path: str) -> str | None:
    """Where the browser gets a file of the evidence; None: no such file came with it."""
    if path not in held.files:
        return None
    about = {"name": held.case.name, "version": held.case.version, "path": path, "sha256": held.files[path]}
    return "/twinops/file?" + urlencode(about)


def said(problem: MlflowException) -> str:
    """The sentence of a refusal."""
    return str(problem.message).removeprefix("twinops: ")


def _act(store: GovernedStore, name: str, version: int) -> str:
    form = request.form
    seen, word, reason = form.get("digest") or None, form.get("act", ""), form.get("reason", "")
    if not dossier.form_fits(store, actors.current(), seen, token=form.get("token", "")):
        raise refusal("This form was not shown to you, or is old. Read the page and decide.")
    if word == TAKE_DOWN:
        desk.take_down(store, name, form.get("alias", ""), reason=reason)
    elif word == RESOLVE:
        rulings.resolve(store, name, version, RulingAsked(form.get("gate", ""), reason, _days(form)), seen=seen)
    elif word == WITHDRAW:
        rulings.withdraw(store, name, version, form.get("gate", ""), reason=reason)
    elif word in {act.value for act in BUTTONS}:
        desk.decide(store, name, version, Deed(Act(word), reason, seen))
    else:
        raise mistake("Choose what to do.")
    return word


def _dossier_page(store: GovernedStore, name: str, version: int, *, status: int = 200, **told: Any) -> Response:
    held = dossier.dossier(store, name, version)
    actor, now = store.actor(), store.now()
    verdicts = tuple(presenting.offered(held, one, actor, now) for one in presenting.shown_verdicts(held))
    against = {act: held.against(act, store) for act in BUTTONS}
    offered = [act for act in BUTTONS if _offered(held, act, decides=not against[Act.REJECT])]
    documents = {n: f"model_cards/{name}/{n}" for n in ("README.md", "dpia.md")}
    values: dict[str, Any] = {
        "held": held,
        "case": held.case,
        "account": actor.account,
        "least": MIN_REASON,
        "token": dossier.form_token(store, actors.current(), held.digest),
        "verdicts": verdicts,
        "others": presenting.other_pictures(held, verdicts),
        "measures": presenting.fairness_and_drift(held.evidence),
        "changes": presenting.differences(held),
        "documents": {n: _document(store, held, path) for n, path in documents.items() if path in held.files},
        "questions": presenting.questions(_text(store, held, f"model_cards/{name}/dpia.json")),
        "against_promotion": held.against_promotion(store),
        "judge_changes": judging.changes(store, held),
        "run": judging.told(held),
        "may": [(act.value, _button(held, act)) for act in offered if not against[act]],
        "may_not": [(BUTTONS[act], against[act]) for act in offered if against[act]],
        "served": _served(store, held),
        "brief": presenting.brief_of(held),
        "office": held.bench.office(actor.account, on=now.date()),
        "carried": [g.alias for g in held.grants if g.uid == held.case.uid],
        "in_production": next((g.alias for g in held.grants if g.uid == held.case.uid), None),
        "may_take_down": not against[Act.REJECT],
        "steps": needed.needed(held, store),
        "strangers": held.strangers if held.sees_people(actor, now.date()) else (),
        "history": past.history(store, held),
        "erasures": _erasures(store, name, version),
        "window": past.WINDOW,
        "now": now,
    }
    empty = {"done": None, "wrong": None, "typed": "", "typed_gate": ""}
    return html("review.html.j2", status=status, **{**empty, **values, **told})


def _erasures(store: GovernedStore, name: str, version: int) -> list[str]:
    """What was decided of the version after people it learned from were erased, as its tags tell."""
    tags: Mapping[str, str] = store.get_model_version(name, str(version)).tags
    return [value[:500] for key, value in sorted(tags.items()) if key.startswith("erasure.")]


def _served(store: GovernedStore, held: Dossier) -> tuple[bool, str]:
    """Whether the alias that the version carries is answered now, and with which reserve or refusal."""
    alias = next((g.alias for g in held.grants if g.uid == held.case.uid), None)
    if alias is None:
        return False, ""
    try:
        return True, store.get_model_version_by_alias(held.case.name, alias).tags.get(STATED, "")
    except MlflowException as problem:
        return False, said(problem)


def _offered(held: Dossier, act: Act, *, decides: bool) -> bool:
    """Acts that make sense in this state; who decides does not ask herself for a review."""
    if act is Act.REQUEST:
        return not decides and held.state in ("changes asked", "rejected", "revoked", "expired")
    return act is not Act.REVOKE or held.standing is not None


def _button(held: Dossier, act: Act) -> str:
    """An approval that holds is renewed, not given a second time."""
    return "Renew the approval" if act is Act.APPROVE and held.standing is not None else BUTTONS[act]


def _document(store: GovernedStore, held: Dossier, path: str) -> Any:
    folder, _, name = path.rpartition("/")
    links = inert_documents.Links(
        prefix={"README.md": "card"}.get(name, name.partition(".")[0]),
        version=f"{held.case.uid} {held.submitted.seq if held.submitted else 0}",
        picture=lambda at: file_address(held, at) if at.startswith(presenting.FIGURES) else None,
        file=lambda at: file_address(held, posixpath.normpath(posixpath.join(folder, at))),
    )
    return inert_documents.as_html(_text(store, held, path) or "", links)


def _no_policy(store: GovernedStore) -> bool:
    with store.reading() as now:
        return cases.rules(now).policy is None


def _text(store: GovernedStore, held: Dossier, path: str) -> str | None:
    if path not in held.files:
        return None
    return dossier.file_of(store, held, path).read_text(encoding="utf-8", errors="replace")


def _which(values: Any) -> tuple[str, int]:
    name, number = values.get("name", ""), values.get("version", "")
    if not name or not str(number).isascii() or not str(number).isdigit() or len(str(number)) > 9:
        raise mistake("The address must name a model and the number of a version.")
    return name, int(number)


def _days(form: Any) -> int:
    told = str(form.get("days", ""))
    if not told.isascii() or not told.isdigit() or len(told) > 4:
        raise mistake("Say for how many days, as a whole number.")
    return int(told)


def _urgency(line: Waiting) -> tuple[int, float]:
    since = line.since.timestamp()
    if line.waits_for == "risk officer":
        return 0, since
    return (1, since) if line.waits_for else (2, -since)


def _static(name: str, kind: str) -> Response:
    content = files("twinops.server.officer").joinpath("templates", name).read_bytes()
    response = Response(content, mimetype=kind)
    response.headers["Cache-Control"] = "private, max-age=600"
    return response


def html(template: str, *, status: int = 200, **values: Any) -> Response:
    """A page of one of the templates beside this module."""
    return Response(_pages.get_template(template).render(status=status, **values), status=status, mimetype="text/html")


def _day(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC") if moment else "not known"


def _ago(moment: datetime, now: datetime) -> str:
    hours = int((now - moment).total_seconds() // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hours" if hours > 1 else "just now"


_pages.filters.update(
    day=_day,
    ago=_ago,
    figure=presenting.figure,
    ticks=presenting.ticks,
    mlflow=lambda name: f"/#/models/{quote(name, safe='')}/versions/",
)
_pages.globals.update(address=dossier_address, file_address=file_address, query=urlencode)
