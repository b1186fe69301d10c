"""Our own routes for machines, below `/twinops/api/`: JSON in, JSON out, under MLflow's login and our origin guard."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Response, jsonify, request
from mlflow.exceptions import MlflowException

from twinops.entities.approval import Act, Ruling
from twinops.server.officer import acts as desk
from twinops.server.officer import dossier, rulings
from twinops.server.officer import evidence as intake
from twinops.server.officer.acts import Deed
from twinops.server.officer.rulings import RulingAsked
from twinops.server.refusals import mistake
from twinops.server.registry import audit_log as ledger
from twinops.server.registry import audit_tables, records
from twinops.server.registry import signed_passes as passes
from twinops.server.registry.artifacts import governed

Route = tuple[str, str, Callable[[], Any]]
MAX_BODY = 64 * 1024**2


def routes() -> tuple[Route, ...]:
    """Path, method and function of each."""
    return (
        ("/twinops/api/whoami", "GET", whoami),
        ("/twinops/api/queue", "GET", queue),
        ("/twinops/api/version", "GET", version),
        ("/twinops/api/alias", "GET", alias),
        ("/twinops/api/pass", "GET", given_pass),
        ("/twinops/api/log", "GET", log),
        ("/twinops/api/promote", "POST", promote),
        ("/twinops/api/evidence", "POST", evidence),
        ("/twinops/api/state", "GET", state),
        ("/twinops/api/review", "POST", decide),
        ("/twinops/api/resolve", "POST", resolve),
        ("/twinops/api/withdraw", "POST", withdraw),
        ("/twinops/api/rules", "POST", activate),
        ("/twinops/api/take-down", "POST", take_down),
    )


def answering(function: Callable[[], Any]) -> Callable[[], Response]:
    """Errors in MLflow's own shape, so that its clients and dialogs show our sentence."""

    @functools.wraps(function)
    def answered() -> Response:
        try:
            return jsonify(function())
        except MlflowException as problem:
            response = Response(problem.serialize_as_json(), mimetype="application/json")
            response.status_code = problem.get_http_status_code()
            return response

    return answered


def _may_edit() -> bool:
    """The same permission as MLflow's own alias route asks for."""
    from mlflow.server import auth

    return bool(auth.BEFORE_REQUEST_VALIDATORS["/api/2.0/mlflow/registered-models/alias", "POST"]())


@answering
def whoami() -> Any:
    """The caller, with roles."""
    actor = governed().actor()
    return {"account": actor.account, "roles": sorted(actor.roles), "admin": actor.admin}


@answering
def queue() -> Any:
    """Every version and whom it waits for."""
    return {"versions": [_plain(asdict(line)) for line in dossier.queue(governed())]}


@answering
def version() -> Any:
    """What the review page shows, for machines."""
    store = governed()
    shown = dossier.dossier(store, *_which(request.args))
    return {
        "name": shown.case.name,
        "version": shown.case.version,
        "uid": shown.case.uid,
        "state": shown.state,
        "digest": shown.digest,
        "digests": asdict(shown.case.digests) if shown.case.digests else None,
        "contributors": sorted(shown.case.contributors),
        "unknown": list(shown.case.unknown),
        "separated": shown.case.separated,
        "decision": shown.decision.to_dict() if shown.decision else None,
        "problems": list(shown.case.problems),
        "against_promotion": list(shown.against_promotion(store)),
        "reviews": [_plain({**asdict(r), "act": r.act.value}) for r in shown.case.reviews],
        "aliases": [asdict(g) for g in shown.grants],
        "commit": shown.submitted.body["commit"] if shown.submitted else None,
    }


@answering
def alias() -> Any:
    """A protected alias with its ETag: 0 before it was ever set."""
    name, word = _words(request.args, "name", "alias")
    with governed().ManagedSessionMaker() as session:
        grant = records.grant_of(session, name, word)
        commits = records.promoted_commits(session, name)
    if grant is None:
        return {"name": name, "alias": word, "version": None, "etag": 0, "commits": commits}
    live = grant.version if grant.active else None
    return {"name": name, "alias": word, "version": live, "etag": grant.etag, "commits": commits}


@answering
def given_pass() -> Any:
    """What a loader checks: digests and approval, signed by this server just now, for this call's nonce."""
    name, word = _words(request.args, "name", "alias")
    return passes.issue(governed(), name, word, nonce=request.args.get("nonce"))


@answering
def log() -> Any:
    """Entries from a number on, at most ten thousand, as they were hashed; and the head."""
    start = _number(request.args.get("from", "0"))
    with governed().ManagedSessionMaker() as session:
        found = []
        for body in ledger.bodies(session, start=start):
            found.append(body.decode())
            if len(found) == 10_000:
                break
        head = ledger.head(session)
        named = ledger.names(session)
    return {"from": start, "entries": found, "size": head.size, "root": head.root.hex(), "names": named}


@answering
def state() -> Any:
    """Where tables, aliases and triggers are not what the log tells; no value is shown."""
    with governed().reading() as now:
        return {"faults": audit_tables.of_transaction(now)}


@answering
def promote() -> Any:
    """Set a protected alias, if nothing happened to it since the given ETag."""
    body = _body()
    name, word = _words(body, "name", "alias")
    number, etag = _number(body.get("version")), _number(body.get("etag"))
    return {"name": name, "alias": word, "version": number, "etag": governed().promote(name, word, number, etag=etag)}


promote.rule = _may_edit  # type: ignore[attr-defined]


@answering
def evidence() -> Any:
    """The gate runner hands in evidence."""
    body = _body()
    name, number = _which(body)
    return {"evidence": intake.submit(governed(), name, number, intake.Handed.from_json(body))}


@answering
def decide() -> Any:
    """Request, approve, reject, ask for changes or revoke."""
    body = _body()
    name, number = _which(body)
    (word,) = _words(body, "act")
    if word not in {act.value for act in Act}:
        raise mistake("`act` is one of " + ", ".join(act.value for act in Act))
    deed = Deed(Act(word), str(body.get("reason") or ""), seen=body.get("digest"))
    done = desk.decide(governed(), name, number, deed)
    return {"review": done.id, "act": done.act.value, "expires": _plain(done.expires), "separated": done.separated}


@answering
def resolve() -> Any:
    """An officer resolves one gate that did not pass, for some days."""
    body = _body()
    name, number = _which(body)
    (gate,) = _words(body, "gate")
    asked = RulingAsked(gate, str(body.get("reason") or ""), _number(body.get("days")))
    return _ruled(rulings.resolve(governed(), name, number, asked, seen=body.get("digest")))


@answering
def withdraw() -> Any:
    """An officer withdraws a ruling on a gate."""
    body = _body()
    name, number = _which(body)
    gate, reason = _words(body, "gate", "reason")
    return _ruled(rulings.withdraw(governed(), name, number, gate, reason=reason))


@answering
def activate() -> Any:
    """Make a policy or offices file the server's own."""
    body = _body()
    kind, told = _words(body, "kind", "text")
    signature = body.get("signature")
    return {"rules": desk.activate(governed(), kind, told, signature=str(signature) if signature else None)}


@answering
def take_down() -> Any:
    """Remove a protected alias."""
    body = _body()
    name, word, reason = _words(body, "name", "alias", "reason")
    return {"removed": desk.take_down(governed(), name, word, reason=reason)}


def _ruled(done: Ruling) -> dict[str, Any]:
    told = {"ruling": done.id, "gate": done.gate, "answer": done.answer, "until": done.until.isoformat()}
    return {**told, "withdrawn": done.withdrawn}


def _body() -> dict[str, Any]:
    if (request.content_length or 0) > MAX_BODY:
        raise mistake("the request is too large")
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise mistake("a JSON object is expected")
    return body


def _which(values: Any) -> tuple[str, int]:
    (name,) = _words(values, "name")
    return name, _number(values.get("version"))


def _words(values: Any, *names: str) -> tuple[str, ...]:
    found = tuple(values.get(name) for name in names)
    if not all(isinstance(value, str) and value for value in found):
        raise mistake(f"{' and '.join(f'`{n}`' for n in names)} must be given as text")
    return found


def _number(value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise mistake("a whole number is expected") from None
    if not 0 <= number < 2**31:
        raise mistake("a whole number is expected")
    return number


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value.isoformat() if hasattr(value, "isoformat") else value
