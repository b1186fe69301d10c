"""Our own routes for machines, below `/twinops/api/`: JSON in, JSON out, under MLflow's login and our origin guard."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Response, jsonify, request
from mlflow.exceptions import MlflowException

from twinops.entities.approval import Act, Ruling
from twinops.governance.people.offices import GATE_RUNNER
from twinops.governance.policy.changes import Change
from twinops.server.officer import acts as desk
from twinops.server.officer import dossier, judging, rules, rulings
from twinops.server.officer import evidence as intake
from twinops.server.officer import needed as steps
from twinops.server.officer.acts import Activation, Deed
from twinops.server.officer.rulings import RulingAsked
from twinops.server.refusals import mistake, refusal
from twinops.server.registry import audit_log as ledger
from twinops.server.registry import audit_tables, cases, records
from twinops.server.registry import signed_passes as passes
from twinops.server.registry.artifacts import governed
from twinops.server.registry.records import Adoption
from twinops.server.registry.store import GovernedStore

Route = tuple[str, str, Callable[[], Any]]


def routes() -> tuple[Route, ...]:
    """Path, method and function of each."""
    return (
        ("/twinops/api/whoami", "GET", whoami),
        ("/twinops/api/queue", "GET", queue),
        ("/twinops/api/version", "GET", version),
        ("/twinops/api/alias", "GET", alias),
        ("/twinops/api/judge", "GET", judge),
        ("/twinops/api/pass", "GET", given_pass),
        ("/twinops/api/log", "GET", log),
        ("/twinops/api/known", "GET", known),
        ("/twinops/api/asked", "GET", asked),
        ("/twinops/api/promote", "POST", promote),
        ("/twinops/api/evidence", "POST", evidence),
        ("/twinops/api/state", "GET", state),
        ("/twinops/api/review", "POST", decide),
        ("/twinops/api/resolve", "POST", resolve),
        ("/twinops/api/withdraw", "POST", withdraw),
        ("/twinops/api/rules", "POST", activate),
        ("/twinops/api/confirm", "POST", confirm),
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
    strangers = shown.strangers if shown.sees_people(store.actor(), store.now().date()) else ()
    return {
        "name": shown.case.name,
        "version": shown.case.version,
        "uid": shown.case.uid,
        "state": shown.state,
        "digest": shown.digest,
        "digests": asdict(shown.case.digests) if shown.case.digests else None,
        "contributors": sorted(shown.case.contributors),
        "unknown": list(shown.case.unknown),
        "unknown_emails": list(strangers),
        "since": shown.since,
        "adopted": _adopted(shown.adopted),
        "needed": [asdict(step) for step in steps.needed(shown, store)],
        "separated": shown.case.separated,
        "decision": shown.decision.to_dict() if shown.decision else None,
        "problems": list(shown.case.problems),
        "against_promotion": list(shown.against_promotion(store)),
        "reviews": [_plain({**asdict(r), "act": r.act.value}) for r in shown.case.reviews],
        "aliases": [asdict(g) for g in shown.grants],
        "commit": shown.submitted.body["commit"] if shown.submitted else None,
        "judge": {"differs": [str(change) for change in judging.changes(store, shown)], **judging.told(shown)},
    }


@answering
def alias() -> Any:
    """A protected alias with its ETag: 0 before it was ever set."""
    name, word = _words(request.args, "name", "alias")
    with governed().reading() as now:
        grant = records.grant_of(now.session, name, word)
        since = {
            "commits": records.promoted_commits(now.session, name),
            "adopted": _adopted(cases.adopted_base(now, name)),
        }
    if grant is None:
        return {"name": name, "alias": word, "version": None, "etag": 0, **since}
    live = grant.version if grant.active else None
    return {"name": name, "alias": word, "version": live, "etag": grant.etag, **since}


@answering
def judge() -> Any:
    """The active judge, and the commit of the one before it; nothing before the first."""
    with governed().reading() as now:
        found = [records.judged_by(row).judge for row in cases.activations(now, "judge")[:2]]
    newest = found[0] if found else None
    return {
        "judge": newest.model_dump(mode="json") if newest else None,
        "digest": newest.digest if newest else None,
        "commit": newest.commit if newest else None,
        "before": found[1].commit if len(found) > 1 else None,
    }


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
def known() -> Any:
    """Whom this server knows, for those who must know: the active offices file, and which rules came from whom."""
    store = governed()
    if GATE_RUNNER not in store.actor().roles:
        _insiders(store)
    with store.reading() as now:
        active = cases.activations(now, "policy", "offices")
        text, given = next((row.body for row in active if row.kind == "offices"), None), records.files_of(active)
    return {"offices": text, "activated": [{"sha256": digest, "account": who} for digest, who in sorted(given)]}


@answering
def activate() -> Any:
    """Make rules the server's own, or (`look`) say what they would change."""
    body = _body()
    kind, told = _words(body, "kind", "text")
    if body.get("look") is True:
        changes, nobody = rules.look(governed(), kind, told)
        return {"changes": _changes(changes), "nobody": list(nobody)}
    return _activated(desk.activate(governed(), kind, told, signature=_signature(body)))


@answering
def asked() -> Any:
    """Rules that wait for a second office, with what they would change."""
    store = governed()
    _insiders(store)
    waiting = [
        {**asdict(one), "by": one.account, "changes": _changes(changes)} for one, changes in rules.waiting(store)
    ]
    return {"asked": [_plain(one) for one in waiting]}


@answering
def confirm() -> Any:
    """A second office lets rules through that were asked for."""
    body = _body()
    kind, digest = _words(body, "kind", "digest")
    return _activated(desk.confirm(governed(), kind, digest, signature=_signature(body)))


@answering
def take_down() -> Any:
    """Remove a protected alias."""
    body = _body()
    name, word, reason = _words(body, "name", "alias", "reason")
    return {"removed": desk.take_down(governed(), name, word, reason=reason)}


def _insiders(store: GovernedStore) -> None:
    """Officers and the administrator read who is who; rules name people."""
    actor = store.actor()
    with store.reading() as now:
        offices = cases.rules(now).offices
    officer = offices is not None and offices.officer(actor.account, on=store.now().date()) is not None
    if not (officer or actor.admin):
        raise refusal("Only officers, gate runners and the administrator are told who is who.")


def _activated(done: Activation) -> dict[str, Any]:
    told = {"rules": done.seq, "active": done.active, "nobody": list(done.nobody)}
    return {**told, "changes": _changes(done.changes)}


def _changes(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
    return [asdict(change) for change in changes]


def _signature(body: dict[str, Any]) -> str | None:
    signature = body.get("signature")
    return str(signature) if signature else None


def _adopted(found: Adoption | None) -> dict[str, Any] | None:
    return {**found.base.model_dump(mode="json"), "by": found.account, "seq": found.seq} if found else None


def _ruled(done: Ruling) -> dict[str, Any]:
    told = {"ruling": done.id, "gate": done.gate, "answer": done.answer, "until": done.until.isoformat()}
    return {**told, "withdrawn": done.withdrawn}


def _body() -> dict[str, Any]:
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
    written = value if isinstance(value, str) else str(value) if type(value) is int else ""
    if not (written.isascii() and written.isdigit() and len(written) <= 10 and int(written) < 2**31):
        raise mistake("a whole number is expected")
    return int(written)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value.isoformat() if hasattr(value, "isoformat") else value
