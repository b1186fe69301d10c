"""Forging what an approval rests on: tags, authors, evidence, decisions by the wrong people, accounts and roles."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from urllib.parse import urlencode

import play
import test_rulings as ruled

from siege.client import API, Answer, Client
from siege.kit import HELD, Field, NotHereError, attack, harm, new_name, new_number

FORGED = "forged tags, authors and evidence"
PEOPLE = "accounts, roles and officers"
FORGED_TAGS = ("twinops.approval", "TWINOPS.decision", "mlflow.prompt.is_prompt")


@attack(
    FORGED,
    "a tag says that a version is approved, or that a model is a prompt",
    cases=[(key, who) for key in FORGED_TAGS for who in ("scientist", "admin")],

)  # fmt: skip
def tags(here: Field, case: tuple[str, str]) -> None:
    key, who = case
    at, version = here.at, here.unapproved()
    tag = {"name": play.MODEL, "version": str(version.version), "key": key, "value": "true"}
    here.sentence(at.call("POST", f"{API}/model-versions/set-tag", tag, who=who))
    where = f"{API}/model-versions/get?name={play.MODEL}&version={version.version}"
    tagged = [t["key"] for t in at.call("GET", where, who=who).json["model_version"].get("tags", [])]
    at.call("DELETE", f"{API}/model-versions/delete-tag", {k: tag[k] for k in ("name", "version", "key")}, who=who)
    if here.governed:
        here.sentence(at.call("POST", f"{API}/registered-models/set-tag", tag, who=who))
        gone = {"name": play.MODEL, "key": key}
        here.sentence(at.call("DELETE", f"{API}/registered-models/delete-tag", gone, who=who))
    harm(key in tagged, f"the version says {key}")


@attack(FORGED, "a logged model says that it is approved")
def logged_model(here: Field) -> None:
    at, version = here.at, here.unapproved()
    made = at.post(f"{API}/logged-models", {"experiment_id": at.experiment("scientist"), "name": "x"}, who="scientist")
    found = made.json["model"]["info"]["model_id"]
    forged = json.dumps([{"name": play.MODEL, "version": str(version.version), "alias": "production"}])
    told = {"tags": [{"key": key, "value": forged} for key in ("mlflow.modelVersions", "twinops.approval")]}
    assert at.call("PATCH", f"{API}/logged-models/{found}/tags", told, who="scientist").status < 500
    here.sentence(at.alias(version), "is not approved")
    if here.governed:
        harm(at.shown(version)["aliases"][0]["version"] == version.version, "the page believes it")


@attack(FORGED, "tags are given at creation")
def tags_at_creation(here: Field) -> None:
    version = here.at.uploaded(new_number())
    body = {**version.request, "tags": [{"key": "twinops.approval", "value": "yes"}, {"key": "mine", "value": "1"}]}
    made = here.at.post(f"{API}/model-versions/create", body, who="scientist").json["model_version"]
    kept = sorted(tag["key"] for tag in made["tags"])
    harm(kept != ["mine"], f"kept: {kept}")


@attack(FORGED, "the client names another author of its run")
def named_author(here: Field) -> None:
    version = here.at.registered(new_number(), who="admin")
    if here.governed:
        shown = here.at.shown(version)["contributors"]
        harm(shown != ["admin"], f"contributors are {shown}")
        return
    run = here.at.call("GET", f"{API}/runs/get?run_id={version.run}", who="admin").json["run"]["info"]
    harm(run["user_id"] == "somebody-else", "the run is somebody-else's")


@attack(
    FORGED, "bytes of an officer's run are registered under a colleague's run", needs="judges", stock="not applicable"
)
def another_run(here: Field) -> None:
    at, name = here.at, new_name("laundered")
    at.assign("risk-officer", "scientist")
    hers = at.uploaded(new_number(), who="risk-officer", name=name, files={"started.txt": b"x"})
    colleague = at.uploaded(new_number(), name=name)
    hers.files = colleague.files
    for path, content in hers.files.items():
        at.put(f"{hers.place}/again/{path}", content, who="scientist")
    hers.place, hers.run = f"{hers.place}/again", colleague.run
    version = hers
    if at.try_register(version).status != 200:
        return
    assert at.judged(version).status == 200
    known = at.shown(version)["contributors"]
    if "risk-officer" not in known:
        harm(at.decided("approve", version).status == 200, f"she approved what came from her run; known: {known}")


@attack(
    FORGED, "somebody who is no gate runner records evidence", needs="judges", stock="not applicable",
    cases=["scientist", "risk-officer", "dpo", "admin"],
)  # fmt: skip
def evidence_by_others(here: Field, who: str) -> None:
    version = here.at.registered(new_number())
    here.sentence(here.at.judged(version, who=who))
    harm(here.at.shown(version)["decision"] is not None, "evidence is kept")


@attack(FORGED, "evidence says it was not made anew, or is about other bytes", needs="judges", stock="not applicable",
        cases=["forced", "model_sha256"])  # fmt: skip
def evidence_of_another_kind(here: Field, case: str) -> None:
    version = here.at.registered(new_number())
    here.sentence(here.at.judged(version, **{case: False if case == "forced" else "0" * 64}))
    harm(here.at.shown(version)["decision"] is not None, "evidence is kept")


@attack(FORGED, "an approval outlives the evidence it was given on", needs="judges", stock="not applicable")
def lapsed(here: Field) -> None:
    at, name = here.at, new_name("lapsing")
    version = at.approved(new_number(), name=name)
    assert at.judged(version, given=play.evidence(auc=0.87, name=name)).status == 200
    here.sentence(at.alias(version), "lapsed")
    harm(at.in_production(name) is not None, "it was promoted")


@attack(PEOPLE, "somebody who is no officer approves", needs="judges", stock="not applicable",
        cases=["scientist", "ci", "dpo", "admin"])  # fmt: skip
def approved_by_others(here: Field, who: str) -> None:
    version = here.at.registered(new_number())
    assert here.at.judged(version).status == 200
    here.sentence(here.at.decided("approve", version, who=who))
    harm(here.at.alias(version).status == 200, "it was promoted")


@attack(
    PEOPLE,
    "files are put into a version by somebody who then is not named",
    needs="judges",
    stock="not applicable",
    stored=True,
)
def uploader(here: Field) -> None:
    at = here.at
    for resource in ("experiment", "registered_model"):
        body = {"username": "risk-officer", "resource_type": resource, "resource_id": "*", "permission": "EDIT"}
        granted = at.call("POST", "/api/3.0/mlflow/users/permissions/grant", body, who="admin")
        assert granted.status in (200, 400), granted.body
    version = at.uploaded(new_number())
    assert at.put(f"{version.place}/MLmodel", version.files["MLmodel"], who="admin").status == 200
    shown = at.shown(at.register(version))["contributors"]
    harm(shown != ["admin", "scientist"], f"contributors are {shown}")


@attack(PEOPLE, "an officer approves what she registered, ran or uploaded", needs="judges", stock="not applicable",
        cases=["registered", "ran", "uploaded"])  # fmt: skip
def officer_worked_on_it(here: Field, part: str) -> None:
    at = here.at
    at.assign("risk-officer", "scientist")
    parts = {"ran": "scientist", "registered": "scientist", "uploaded": "scientist", part: "risk-officer"}
    version = at.uploaded(new_number(), who=parts["ran"], name=new_name(f"hers-{part}"))
    if part == "uploaded":
        assert at.put(f"{version.place}/MLmodel", version.files["MLmodel"], who="risk-officer").status == 200
    at.call("POST", f"{API}/registered-models/create", {"name": version.name}, who="scientist")
    made = at.post(f"{API}/model-versions/create", version.request, who=parts["registered"]).json["model_version"]
    version.version = int(made["version"])
    assert at.judged(version).status == 200
    harm("risk-officer" not in at.shown(version)["contributors"], "she is not named")
    here.sentence(at.decided("approve", version), "Who worked on this version")
    harm(at.alias(version).status == 200, "it was promoted")


@attack(PEOPLE, "a commit's author whom nobody knows", needs="judges", stock="not applicable")
def unknown_author(here: Field) -> None:
    version = here.at.registered(new_number())
    assert here.at.judged(version, authors=["stranger@example.org"]).status == 200
    here.sentence(here.at.decided("approve", version), "belongs to no account")
    harm(here.at.alias(version).status == 200, "it was promoted")


@attack(PEOPLE, "an administrator takes the officer's role", needs="judges", stock="not applicable")
def admin_as_officer(here: Field) -> None:
    at = here.at
    version = at.registered(new_number())
    at.judged(version)
    assert at.assign("admin", "risk-officer").status in (200, 400)
    here.sentence(at.decided("approve", version, who="admin"), "administrator")
    told = any('"kind":"account.changed"' in entry and "assign" in entry for entry in at.log()["entries"])
    harm(not told, "the log does not tell")
    harm(at.alias(version).status == 200, "it was promoted")


@attack(PEOPLE, "a new account with the officer's role decides, or activates an offices file", needs="judges",
        stock="not applicable")  # fmt: skip
def mole(here: Field) -> None:
    at, name = here.at, new_name("mole")
    at.passwords[name] = "a-long-enough-password"
    made = {"username": name, "password": at.passwords[name]}
    assert at.call("POST", f"{API}/users/create", made, who="admin").status == 200
    assert at.assign(name, "risk-officer").status == 200
    version = at.registered(new_number())
    at.judged(version)
    here.sentence(at.decided("approve", version, who=name), "offices file")
    body = {"kind": "offices", "text": play.OFFICES.replace("account: risk-officer", f"account: {name}")}
    for who in (name, "admin", "scientist", "dpo"):
        here.sentence(at.call("POST", "/twinops/api/rules", body, who=who))
    harm(at.alias(version).status == 200, "it was promoted")


@attack(PEOPLE, "an account is made that looks like an officer's, or is a name of the server's own", needs="judges",
        stock="not applicable",
        cases=["Risk-Officer", "risk-officer ", "risk‑officer", "ci\u200b", "unknown", "local:root"])  # fmt: skip
def look_alike_accounts(here: Field, name: str) -> None:
    made = {"username": name, "password": "a-long-enough-password"}
    answer = here.at.call("POST", f"{API}/users/create", made, who="admin")
    here.at.call("DELETE", f"{API}/users/delete", {"username": name}, who="admin")
    harm(answer.status == 200, f"there is an account {name!r}")


@attack(PEOPLE, "somebody who is not logged in reads or writes", stock=HELD, cases=[
    ("GET", "/twinops/api/queue"), ("POST", "/twinops/api/promote"), ("POST", "/twinops/api/evidence"),
    ("GET", "/twinops/api/log"), ("POST", f"{API}/registered-models/alias"), ("GET", "/twinops/review"),
    ("PUT", "/api/2.0/mlflow-artifacts/artifacts/1/x/artifacts/y"), ("GET", "/api/2.0/mlflow-artifacts/artifacts/1/x"),
    ("POST", "/graphql"), ("GET", f"{API}/users/get?username=admin"), ("GET", "/static-files/..%2f..%2fhandlers.py"),
])  # fmt: skip
def nobody(here: Field, case: tuple[str, str]) -> None:
    method, path = case
    if "/twinops/" in path and not here.governed:
        raise NotHereError("there is no such route")
    answer = here.at.call(method, path, {} if method != "GET" else None)
    harm(answer.status not in (401, 404), f"answered {answer.status} to nobody")


@attack(PEOPLE, "headers of a proxy say who is calling", stock=HELD,
        cases=["X-Remote-User", "X-Forwarded-User", "Remote-User", "X-MLflow-Internal-Token"])  # fmt: skip
def proxy_headers(here: Field, header: str) -> None:
    answer = here.at.call("GET", f"{API}/users/get?username=admin", **{header.replace("-", "_"): "admin"})
    harm(answer.status != 401, f"answered {answer.status} to {header}")


@attack(PEOPLE, "a gate is resolved over HTTP by whom the policy does not name, or on other terms",
        needs="judges process", stock="not applicable")  # fmt: skip
def resolved_by_others(here: Field) -> None:
    at, name = here.at, new_name("doubted")
    at.activate(ruled.POLICY)
    try:
        _resolved(here, at, name)
    finally:
        at.activate()


def _resolved(here: Field, at: Client, name: str) -> None:
    version = at.registered(new_number(), name=name)
    assert at.judged(version, given=ruled.evidence(ruled.DOUBT, name=name)).status == 200
    shown = at.shown(version)
    assert shown["decision"]["blocking"] == ["fairness"]
    body = {**version.which, "gate": "fairness", "reason": ruled.WHY, "days": 30, "digest": shown["digest"]}
    for who in ("scientist", "ci", "dpo", "admin"):
        here.sentence(at.call("POST", "/twinops/api/resolve", body, who=who))
    here.refused(at.call("POST", "/twinops/api/resolve", body), status=401)
    for changed in ({"days": 91}, {"digest": None}, {"digest": "0" * 64}, {"reason": "short"}, {"gate": "consent"}):
        here.sentence(at.call("POST", "/twinops/api/resolve", {**body, **changed}, who="risk-officer"))
    for changed in ({"days": "many"}, {"days": -1}, {"gate": 7}, {"version": "x"}):
        here.refused(at.call("POST", "/twinops/api/resolve", {**body, **changed}, who="risk-officer"), status=400)
    harm(at.shown(version)["decision"]["blocking"] != ["fairness"], "the gate is out of the way")
    done = _by_command(at, name, shown["digest"])
    assert done.returncode == 0, done.stderr
    assert "fairness resolved until" in done.stdout
    assert at.shown(version)["decision"]["blocking"] == []
    assert at.decided("approve", version).status == 200
    assert at.alias(version).status == 200
    where = f"/twinops/review?name={name}&version=1"
    page = at.call("GET", where, who="risk-officer").body.decode()
    assert "Resolved by risk-officer (risk officer)" in page
    assert "Withdraw the ruling" in page
    assert "Withdraw the ruling" not in at.call("GET", where, who="dpo").body.decode()
    form = form_of(page) | {"act": "withdraw", "gate": "fairness", "reason": ruled.WHY}
    for changed, who in (({"token": "0" * 64}, "risk-officer"), ({}, "scientist"), ({}, "dpo")):
        here.sentence(posted(at, {**form, **changed}, who=who))
    assert posted(at, form, who="risk-officer").status == 200, "led to the page again"
    here.sentence(at.alias(version), "In the way: fairness")
    harm(at.resolved(name).status != 200, "what is served goes on being served")


def _by_command(at: Client, name: str, digest: str) -> subprocess.CompletedProcess[str]:
    login = {"MLFLOW_TRACKING_USERNAME": "risk-officer", "MLFLOW_TRACKING_PASSWORD": at.passwords["risk-officer"]}
    command = [sys.executable, "-m", "twinops", "--project", str(at.root), "model", "resolve", name, "1", "fairness"]
    command += ["--reason", ruled.WHY, "--days", "20", "--digest", digest]
    told = at.environment(TWINOPS_SERVER=at.address, **login)  # type: ignore[attr-defined]
    return subprocess.run(command, env=told, capture_output=True, text=True, check=False)


def form_of(page: str) -> dict[str, str]:
    """Hidden fields of the review page's forms."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def posted(at: Client, form: dict[str, str], *, who: str) -> Answer:
    """The form as a browser sends it."""
    told = urlencode(form).encode()
    kind = "application/x-www-form-urlencoded"
    return at.call("POST", "/twinops/review", told, who=who, Content_Type=kind)
