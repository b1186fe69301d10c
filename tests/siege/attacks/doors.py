"""Other doors of MLflow's: other origins, code on the server, workspaces, a second client on the database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import play

from siege.client import API, ARTIFACTS, Client
from siege.kit import HELD, Field, attack, harm, new_name

GROUP = "other doors"
ORIGINS = ("http://localhost:8888", "http://127.0.0.1:9", "https://evil.example", "null")


@attack(GROUP, "a page of another origin uses a logged-in browser", cases=ORIGINS)
def other_origins(here: Field, origin: str) -> None:
    at, version = here.at, here.unapproved()
    body = {"name": play.MODEL, "version": str(version.version), "key": f"from {origin[-4:]}", "value": "1"}
    tries = [("POST", f"{API}/model-versions/set-tag", body), ("PUT", f"{ARTIFACTS}/1/aa/artifacts/x.txt", b"x")]
    if here.governed:
        tries += [("POST", "/twinops/api/review", body), ("GET", "/twinops/api/queue", None)]
    for method, path, told in tries:
        here.sentence(at.call(method, path, told, who="admin", Origin=origin))
        here.sentence(at.call(method, path, told, who="admin", Sec_Fetch_Site="same-site"))
    where = f"{API}/model-versions/get?name={play.MODEL}&version={version.version}"
    tagged = [t["key"] for t in at.call("GET", where, who="admin").json["model_version"].get("tags", [])]
    harm(body["key"] in tagged, "another page's request was done")
    same = {"Origin": at.address, "Sec_Fetch_Site": "same-origin"}
    own = at.call("POST", f"{API}/model-versions/set-tag", {**body, "key": "mine"}, who="admin", **same)
    harm(own.status != 200, "our own pages are refused")


HOSTS = {
    "a name that was bound anew": ("Host: rebind.example:5000", "Origin: http://rebind.example:5000"),
    "two hosts": ("Host: evil.example", "Origin: http://evil.example"),
    "two origins": ("Origin: http://evil.example", "Origin: {own}"),
    "a forwarded host": ("X-Forwarded-Host: evil.example", "Origin: http://evil.example"),
}


@attack(GROUP, "hosts and origins are told twice, or by a proxy's headers", cases=list(HOSTS), stock=HELD)
def told_twice(here: Field, case: str) -> None:
    at = here.at
    body = json.dumps({"name": play.MODEL, "alias": "hosted", "version": str(here.unapproved().version)}).encode()
    head = [line.format(own=at.address) for line in HOSTS[case]]
    login = (
        f"Authorization: {at.login('scientist')}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    answer = at.raw(f"POST {API}/registered-models/alias HTTP/1.1", *head, *login, body=body)
    harm(answer.status == 200, f"done for {head}")


CLOSED = (
    "/ajax-api/3.0/mlflow/assistant/config", "/ajax-api/3.0/mlflow/assistant", "/ajax-api/3.0/jobs", "/%2567ateway/x",
    "//ajax-api/3.0/mlflow/assistant/message", "/ajax-api/3.0/%6dlflow/assistant/config", "/gateway%2fmlflow/v1/models",
    "/ajax-api/3.0/mlflow/assistant;x/config", "/gateway/x/mlflow/invocations",
)  # fmt: skip


@attack(GROUP, "the assistant, jobs and the gateway are called", cases=CLOSED, stock=HELD)
def closed(here: Field, path: str) -> None:
    for method in ("GET", "POST"):
        answer = here.refused(here.at.call(method, path, {} if method == "POST" else None, who="admin"))
        harm(answer.status == 200 and "assistant" in path, "the assistant answers")


HOOK = {"name": "w", "url": "https://example.org/x", "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]}
LEFT: dict[str, dict[str, Any]] = {
    "/api/3.0/mlflow/gateway/secrets/create": {"secret_value": {"k": "v"}, "provider": "openai"},
    "/ajax-api/3.0/mlflow/demo/generate": {},
    "/api/3.0/mlflow/scorers/register": {
        "experiment_id": "1",
        "name": "s",
        "serialized_scorer": '{"call_source": "1"}',
    },
    "/api/2.0/mlflow/webhooks": HOOK,
}


@attack(GROUP, "a scientist leaves a provider's secret, code, a hook or a demo on the server", cases=list(LEFT))
def left_on_the_server(here: Field, path: str) -> None:
    told = {**LEFT[path], "secret_name": new_name("secret")} if "secrets" in path else LEFT[path]
    harm(here.at.call("POST", path, told, who="scientist").status == 200, "it was taken")


@attack(GROUP, "a workspace is made or deleted, which goes round the registry", stock=HELD,
        cases=["/api/3.0/mlflow/workspaces", "/ajax-api/3.0/mlflow/workspaces"])  # fmt: skip
def workspaces(here: Field, path: str) -> None:
    for method, where in (("POST", path), ("DELETE", f"{path}/default"), ("DELETE", f"{path}/default?mode=CASCADE")):
        answer = here.at.call(method, where, {"name": "mine"} if method == "POST" else None, who="admin")
        harm(answer.status < 400, f"{method} {where} was done")


def python(at: Client, script: str, *, who: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A stock client in a process of its own, without a line of ours on its path."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("MLFLOW_", "TWINOPS_", "PYTHON", "PYTEST"))}
    login = {"MLFLOW_TRACKING_USERNAME": who, "MLFLOW_TRACKING_PASSWORD": at.passwords[who]}
    source = str(play.candidate.ROOT / "src")
    told = {
        **kept,
        **login,
        "MLFLOW_TRACKING_URI": at.address,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONPATH": source,
    }
    command = [sys.executable, "-W", "ignore", "-c", script]
    return subprocess.run(
        command, env={**told, **environment}, capture_output=True, text=True, timeout=300, check=False
    )


SCRIPT = """
import mlflow, json
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
said = {{}}
def attempt(what, call):
    try:
        call(); said[what] = "done"
    except MlflowException as problem:
        said[what] = str(problem)
http = MlflowClient()
other = "{other}"
stock = MlflowClient(tracking_uri={database!r}, registry_uri={database!r})
said["loaded"] = type(mlflow.pyfunc.load_model("models:/twin@production")).__name__
for name, client in (("http", http), ("database", stock)):
    attempt(name + " alias", lambda: client.set_registered_model_alias("twin", "production", other))
    attempt(name + " look-alike", lambda: client.set_registered_model_alias("twin", "Production", other))
    attempt(name + " stage", lambda: client.transition_model_version_stage("twin", other, "Production"))
    attempt(name + " removal", lambda: client.delete_registered_model_alias("twin", "production"))
    attempt(name + " deletion", lambda: client.delete_registered_model("twin"))
    attempt(name + " version", lambda: client.delete_model_version("twin", "{good}"))
    attempt(name + " rename", lambda: client.rename_registered_model("twin", "other"))
said["loaded after"] = type(mlflow.pyfunc.load_model("models:/twin@production")).__name__
print(json.dumps(said))
"""


@attack(
    GROUP,
    "MLflow's own client, over HTTP and on the database's address",
    needs="database judges",
    stock="not applicable",
    stored=True,
)
def stock_clients(here: Field) -> None:
    database = str(here.at.database_url)  # type: ignore[attr-defined]
    script = SCRIPT.format(other=here.unapproved().version, good=here.produced.version, database=database)
    done = python(here.at, script, who="scientist")
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert {said.pop("loaded"), said.pop("loaded after")} == {"PyFuncModel"}
    through = {what for what, answer in said.items() if "twinops" not in answer}
    harm(through != set(), f"not refused: {through}")
    assert len(said) == 14
