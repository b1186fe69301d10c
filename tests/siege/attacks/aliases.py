"""Making an unapproved version production: routes, spellings, bodies, look-alikes, stages, other approvals."""

from __future__ import annotations

import json
from typing import Any

import play

from siege.client import AJAX, API, Version
from siege.kit import HELD, Field, NotHereError, attack, harm, new_name, new_number

GROUP = "alias routes and spellings"
LIFECYCLE = "lifecycle and stages"
ROUTE = f"{API}/registered-models/alias"
BODIES = {
    "json": ("application/json; charset=utf-8", '{{"name":"{name}","alias":"production","version":"{other}"}}'),
    "text": ("text/plain", '{{"name":"{name}","alias":"production","version":"{other}"}}'),
    "form": ("application/x-www-form-urlencoded", '{{"name":"{name}","alias":"production","version":"{other}"}}'),
    "keys twice": (
        "application/json",
        '{{"name":"{name}","alias":"staging","alias":"production","version":"{good}","version":"{other}"}}',
    ),
    "both spellings of a key": (
        "application/json",
        '{{"name":"{name}","registered_model_name":"x","alias":"production","version":"{good}","Version":"{other}"}}',
    ),
    "numbers for words": ("application/json", '{{"name":"{name}","alias":"production","version":{other}}}'),
    "a byte order mark": ("application/json", '\ufeff{{"name":"{name}","alias":"production","version":"{other}"}}'),
}
CONFUSABLE = (
    "Production", "PRODUCTION", "production\n", " production", "produçtion", "ｐroduction", "prоduction", "pro_duction",
    "prodυction", "productiοn", "𝐩roduction", "production\u200b", "prod\u00aduction", "production\u3164",
)  # fmt: skip


@attack(
    GROUP,
    "any account sets the alias on an unapproved version",
    cases=[(api, who) for api in (API, AJAX) for who in ("scientist", "admin", "ci", "risk-officer", "dpo")],
)
def set_on_every_route(here: Field, case: tuple[str, str]) -> None:
    api, who = case
    answer = here.sentence(here.at.alias(here.unapproved(), who=who, api=api))
    if who in ("scientist", "admin"):
        here.sentence(answer, "is not approved")


@attack(
    GROUP,
    "the route is spelled oddly",
    cases=[
        "/api/2.0/preview/mlflow", "//api/2.0/mlflow", "/api/2.0//mlflow", "/api/2.0/./mlflow", "/api/2.0/%6dlflow",
        "/api/2.0/mlflow/x/..", "/API/2.0/mlflow", "/api/2.0/mlflow;x=1", "/api/2.0/mlflow%2f",
    ],
    stock=HELD,
)  # fmt: skip
def odd_spellings(here: Field, path: str) -> None:
    here.refused(here.at.alias(here.unapproved(), api=path))


@attack(GROUP, "the body says it in another way", cases=[*BODIES, "twice encoded"])
def odd_bodies(here: Field, case: str) -> None:
    kind, shape = BODIES.get(case, BODIES["json"])
    told = shape.format(name=play.MODEL, other=here.unapproved().version, good=here.produced.version)
    body = json.dumps(told) if case == "twice encoded" else told
    answer = here.at.call("POST", ROUTE, body.encode(), who="scientist", Content_Type=kind)
    if case != "both spellings of a key":  # a key nobody knows may be ignored
        here.refused(answer)


@attack(GROUP, "the route is reached by another method or a header that names one", cases=["PUT", "PATCH", "header"])
def other_methods(here: Field, method: str) -> None:
    body = {"name": play.MODEL, "alias": "production", "version": str(here.unapproved().version)}
    more = {"X_HTTP_Method_Override": "POST"} if method == "header" else {}
    here.refused(here.at.call("PUT" if method == "header" else method, ROUTE, body, who="scientist", **more))


@attack(GROUP, "an alias looks like production", cases=CONFUSABLE)
def look_alikes(here: Field, alias: str) -> None:
    version = here.unapproved()
    here.refused(here.at.alias(version, alias))
    shown = here.at.call("GET", f"{API}/registered-models/get?name={play.MODEL}", who="scientist").json
    names = [a["alias"] for a in shown["registered_model"].get("aliases", [])]
    harm(alias in names, f"{alias!r} stands beside production")


@attack(GROUP, "a model looks like the one in production", cases=["Twin", "twіn", "twin\u200b", "ｔwin", "twin "])
def look_alike_models(here: Field, name: str) -> None:
    answer = here.at.call("POST", f"{API}/registered-models/create", {"name": name}, who="scientist")
    if answer.status == 200:
        here.at.call("DELETE", f"{API}/registered-models/delete", {"name": name}, who="scientist")
    harm(answer.status == 200, f"a model {name!r} stands beside {play.MODEL!r}")


@attack(GROUP, "an ordinary alias is used as before", stock=HELD)
def other_aliases_are_nobodys_business(here: Field) -> None:
    answer = here.at.alias(here.unapproved(), "staging")
    harm(answer.status != 200, f"an ordinary alias is refused: {answer.body[:200]!r}")


@attack(GROUP, "GraphQL sets an alias", stock=HELD)
def graphql(here: Field) -> None:
    told = {
        "query": "mutation { setRegisteredModelAlias(input:"
        f' {{name: "twin", alias: "production", version: "{here.unapproved().version}"}}) {{ __typename }} }}'
    }
    answer = here.at.call("POST", "/graphql", told, who="admin")
    harm(answer.status == 200 and "errors" not in answer.json, "GraphQL took a mutation")


@attack(GROUP, "eight clients and a revocation race for one alias", stock="not applicable")
def eight_race(here: Field) -> None:
    import os
    from functools import partial

    from siege.load import together

    _judges(here)
    at, name = here.at, new_name("raced")
    versions = [at.approved(new_number(), name=name) for _ in range(8)]
    for _ in range(int(os.environ.get("TWINOPS_RACES", "3"))):
        etag = at.etag(name)
        answers = together([partial(_status, at, v, etag) for v in versions])
        harm(sorted(answers).count(200) != 1 or not set(answers) <= {200, 409}, f"not one won: {answers}")
        harm(at.etag(name) <= etag, "the ETag went back")
    last = versions[0]
    revoked, *_ = together([partial(at.decided, "revoke", last), *[partial(at.alias, last) for _ in range(7)]])
    harm(revoked.status == 200 and at.in_production(name) == last.version, "revoked and served")
    entries = at.log()["entries"]
    harm([json.loads(e)["seq"] for e in entries] != list(range(len(entries))), "the log has gaps")


def _status(at: Any, version: Version, etag: int) -> int:
    return int(at.promoted(version, etag).status)


def _judges(here: Field) -> None:
    if not here.governed:
        raise NotHereError("nobody judges here")


# stages, deletion, renaming


@attack(LIFECYCLE, "a legacy stage is set", cases=["Production", "Staging", "Archived"])
def stages(here: Field, stage: str) -> None:
    version = here.unapproved()
    body = {"name": play.MODEL, "version": str(version.version), "stage": stage, "archive_existing_versions": False}
    for api in (API, AJAX):
        here.sentence(here.at.call("POST", f"{api}/model-versions/transition-stage", body, who="scientist"), "stages")
    where = f"{API}/model-versions/get?name={play.MODEL}&version={version.version}"
    now = here.at.call("GET", where, who="scientist").json["model_version"]["current_stage"]
    harm(now == stage, f"its stage is {now}")


TAKEN = {
    "alias": ("DELETE", "/registered-models/alias"),
    "rename": ("POST", "/registered-models/rename"),
    "model": ("DELETE", "/registered-models/delete"),
    "version": ("DELETE", "/model-versions/delete"),
    "description": ("PATCH", "/model-versions/update"),
}


@attack(
    LIFECYCLE,
    "what is in production is removed, renamed, deleted or described anew",
    cases=[(what, who) for what in TAKEN for who in ("scientist", "admin")],
)
def taken_away(here: Field, case: tuple[str, str]) -> None:
    what, who = case
    method, path = TAKEN[what]
    at, name = here.at, play.MODEL if here.governed else new_name("carried")
    version = here.produced if here.governed else at.registered(new_number(), name=name)
    if not here.governed:
        at.alias(version)
    number = {"name": name, "version": str(version.version)}
    body = {
        "alias": {"name": name, "alias": "production"},
        "rename": {"name": name, "new_name": "elsewhere-" + name},
        "description": {**number, "description": "better"},
    }.get(what, number if what == "version" else {"name": name})
    here.sentence(at.call(method, API + path, body, who=who))
    harm(at.in_production(name) != version.version, "production is gone")
    where = f"{API}/model-versions/get?name={name}&version={version.version}"
    told = at.call("GET", where, who=who).json["model_version"].get("description")
    harm(told == "better", "what was approved is described otherwise")


@attack(LIFECYCLE, "a deleted and recreated model inherits the approval", stock="not applicable", stored=True)
def reborn(here: Field) -> None:
    _judges(here)
    at, name = here.at, new_name("reborn")
    first = at.approved(new_number(), name=name)
    assert at.call("DELETE", f"{API}/registered-models/delete", {"name": name}, who="scientist").status == 200
    again = at.registered(new_number(), name=name)
    assert again.version == first.version == 1
    here.sentence(at.alias(again), "not approved")
    harm(at.in_production(name) is not None, "the approval of another model counted")


@attack(LIFECYCLE, "a renamed model keeps the approval of its old name", stock="not applicable", stored=True)
def renamed(here: Field) -> None:
    _judges(here)
    at, name = here.at, new_name("swapped")
    other = at.approved(new_number(), name=name)
    moved = {"name": name, "new_name": f"{name}-in"}
    here.refused(at.call("POST", f"{API}/registered-models/rename", moved, who="scientist"))
    assert at.call("POST", f"{API}/registered-models/rename", moved, who="admin").status == 200
    other.name = f"{name}-in"
    here.sentence(at.alias(other), f"as a version of {name}")
    harm(at.in_production(other.name) is not None, "an approval followed the name")


@attack(LIFECYCLE, "a copy of what is in production is promoted", stored=True)
def copied(here: Field) -> None:
    at = here.at
    body = {
        "name": play.MODEL,
        "source": f"models:/{play.MODEL}/{here.produced.version}",
        "tags": [{"key": "twinops.review", "value": "approve"}],
    }
    made = at.call("POST", f"{API}/model-versions/create", body, who="scientist")
    if made.status != 200:
        here.refused(made)
        if here.governed:
            return
        made = at.post(f"{API}/model-versions/create", here.unapproved().request, who="scientist")
    version = made.json["model_version"]
    harm(here.governed and bool(version.get("tags")), "mirrors are copied")
    copy = Version(play.MODEL, int(version["version"]), "", here.produced.place, here.produced.files)
    here.sentence(at.alias(copy), "not approved")


@attack(LIFECYCLE, "a revoked version is loaded, promoted again or vouched for", stored=True)
def revoked(here: Field) -> None:
    at, name = here.at, new_name("revoked")
    version = at.approved(new_number(), name=name)
    assert at.alias(version).status == 200
    if here.governed:
        here.sentence(at.decided("revoke", version, who="scientist"))
        assert at.decided("revoke", version).status == 200
    here.sentence(at.resolved(name), "revoked")
    here.sentence(at.alias(version), "revoked")
    where = f"/twinops/api/pass?name={name}&alias=production"
    here.sentence(at.call("GET", where, who="scientist"), "revoked")
    harm(at.in_production(name) is not None, "nothing here revokes" if not here.governed else "it is served")


@attack(LIFECYCLE, "the approved copy of a revoked version is fetched from the address a pass named", stored=True)
def revoked_copy(here: Field) -> None:
    at, name = here.at, new_name("fetched")
    version = at.approved(new_number(), name=name)
    assert at.alias(version).status == 200
    place = version.place
    if here.governed:
        place = at.call("GET", f"/twinops/api/pass?name={name}&alias=production", who="scientist").json["place"]
        assert at.decided("revoke", version).status == 200
    harm(at.bytes_at(f"{place}/data/twin.json") == version.files["data/twin.json"], "its bytes are served")
