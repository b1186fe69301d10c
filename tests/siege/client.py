"""What people and attackers say to a registry over HTTP: the play's verbs, on twinops and on stock MLflow."""

from __future__ import annotations

import base64
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import play

API = "/api/2.0/mlflow"
AJAX = "/ajax-api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
BROKEN = (500, 502, 503, 504)
"""Answers that no input may bring about; 501 says that something is not there."""
SWITCHED_OFF = (b"FEATURE_DISABLED", b"disabled because the server is running without")
"""So MLflow tells with 503 of what is not switched on."""


@dataclass
class Answer:
    """Status and body of a response."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def refused(self) -> bool:
        """Refused with a status of its own, not by an accident."""
        return 400 <= self.status < 500


@dataclass
class Version:
    """One version of the play, as HTTP made it."""

    name: str
    version: int
    run: str
    place: str
    files: dict[str, bytes]

    @property
    def which(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version}

    @property
    def request(self) -> dict[str, Any]:
        return {"name": self.name, "source": f"mlflow-artifacts:/{self.place}", "run_id": self.run}


class Client:
    """A registry at an address, with the passwords of its accounts by role; who starts it adds the address."""

    governed = True
    address: str
    passwords: dict[str, str]
    root: Path | None
    database: str | None

    @property
    def broken(self) -> list[str]:
        """Requests that were answered 5xx since somebody last looked."""
        found: list[str] = self.__dict__.setdefault("_broken", [])
        return found

    def login(self, who: str) -> str:
        """The header's value."""
        return "Basic " + base64.b64encode(f"{who}:{self.passwords[who]}".encode()).decode()

    def call(self, method: str, path: str, body: Any = None, *, who: str | None = None, **headers: str) -> Answer:
        """One request; `body` is sent as JSON unless it is bytes."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, method=method)
        if body is not None and not isinstance(body, bytes):
            request.add_header("Content-Type", "application/json")
        if who is not None:
            request.add_header("Authorization", self.login(who))
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as problem:
            said = problem.read()
            if problem.code in BROKEN and not any(word in said for word in SWITCHED_OFF):
                self.broken.append(f"{method} {path[:80]} {problem.code}")
            return Answer(problem.code, said, dict(problem.headers))

    def connected(self, *, seconds: float = 30) -> socket.socket:
        """A bare connection."""
        at = urlsplit(self.address)
        return socket.create_connection((at.hostname or "", at.port or 80), timeout=seconds)

    def raw(self, *head: str, body: bytes = b"") -> Answer:
        """A request as it is written here, Host header and closing included."""
        told = (head[0], f"Host: {urlsplit(self.address).netloc}", "Connection: close", *head[1:])
        said = b""
        with self.connected() as line, suppress(ConnectionError):
            line.sendall("\r\n".join(told).encode("latin-1") + b"\r\n\r\n" + body)
            while part := line.recv(65536):
                said += part
        status = int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/") else 0
        if status in BROKEN:
            self.broken.append(f"{head[0][:80]} {status}")
        return Answer(status, said.partition(b"\r\n\r\n")[2])

    def post(self, path: str, body: Any, *, who: str) -> Answer:
        """A POST that must work."""
        answer = self.call("POST", path, body, who=who)
        assert answer.status == 200, answer.body
        return answer

    # the play, over HTTP

    def activate(self, policy: str = play.POLICY) -> None:
        """The play policy and judge, by the risk officer; where it is looser than before, the DPO confirms it."""
        for kind, text in (("policy", policy), ("judge", play.judge(play.TREE).to_json())):
            done = self.post("/twinops/api/rules", {"kind": kind, "text": text}, who="risk-officer").json
            if not done["active"]:
                asked = self.call("GET", "/twinops/api/asked", who="dpo").json["asked"][0]
                signed = play.signed(text, f"twinops-{kind}", "dpo")
                body = {"kind": kind, "digest": asked["digest"], "signature": signed}
                self.post("/twinops/api/confirm", body, who="dpo")

    def registered(
        self, number: int = 0, *, who: str = "scientist", name: str = play.MODEL, files: Any = None
    ) -> Version:
        """Somebody makes a run, uploads a model and registers it, as MLflow's client does."""
        return self.register(self.uploaded(number, who=who, name=name, files=files), who=who)

    def register(self, version: Version, *, who: str = "scientist") -> Version:
        """Register what lies there."""
        made = self.try_register(version, who=who)
        assert made.status == 200, made.body
        return version

    def try_register(self, version: Version, *, who: str = "scientist", **told: Any) -> Answer:
        """The same, though it may be refused."""
        self.call("POST", f"{API}/registered-models/create", {"name": version.name}, who=who)
        made = self.call("POST", f"{API}/model-versions/create", {**version.request, **told}, who=who)
        if made.status == 200:
            version.version = int(made.json["model_version"]["version"])
        return made

    def uploaded(
        self, number: int = 0, *, who: str = "scientist", name: str = play.MODEL, files: Any = None
    ) -> Version:
        """The same, not registered yet."""
        experiment = self.experiment(who)
        run = self.post(f"{API}/runs/create", {"experiment_id": experiment, "user_id": "somebody-else"}, who=who).json
        info = run["run"]["info"]
        place = info["artifact_uri"].removeprefix("mlflow-artifacts:/").strip("/") + "/model"
        version = Version(name, 0, info["run_id"], place, files or play.model_files(number))
        for path, content in version.files.items():
            assert self.put(f"{place}/{path}", content, who=who).status == 200
        return version

    def experiment(self, who: str) -> str:
        """The play's experiment."""
        found = self.call("GET", f"{API}/experiments/get-by-name?experiment_name=play", who=who)
        if found.status == 200:
            return str(found.json["experiment"]["experiment_id"])
        return str(self.post(f"{API}/experiments/create", {"name": "play"}, who=who).json["experiment_id"])

    def put(self, place: str, content: bytes, *, who: str) -> Answer:
        """Upload a file."""
        return self.call("PUT", f"{ARTIFACTS}/{place}", content, who=who)

    def bytes_at(self, place: str, *, who: str = "scientist") -> bytes:
        """What a download gives."""
        return self.call("GET", f"{ARTIFACTS}/{place}", who=who).body

    def judged(self, version: Version, *, who: str = "ci", **changes: Any) -> Answer:
        """Evidence is handed in."""
        body = play.handed(version.files["data/twin.json"], name=version.name, **changes)
        return self.call("POST", "/twinops/api/evidence", {**body, **version.which}, who=who)

    def decided(self, act: str, version: Version, *, who: str = "risk-officer") -> Answer:
        """Somebody decides, having seen what is there."""
        seen = self.shown(version)["digest"]
        body = {**version.which, "act": act, "digest": seen, "reason": play.PLAY}
        return self.call("POST", "/twinops/api/review", body, who=who)

    def shown(self, version: Version) -> Any:
        """What the server knows of a version."""
        return self.call(
            "GET", f"/twinops/api/version?name={version.name}&version={version.version}", who="risk-officer"
        ).json

    def approved(self, number: int = 0, **more: Any) -> Version:
        """A version that was registered, judged and approved; on a server without judges it is registered."""
        version = self.registered(number, **more)
        if self.governed:
            assert self.judged(version).status == 200
            answer = self.decided("approve", version)
            assert answer.status == 200, answer.body
        return version

    def alias(self, version: Version, alias: str = "production", *, who: str = "scientist", api: str = API) -> Answer:
        """MLflow's own alias route."""
        body = {"name": version.name, "alias": alias, "version": str(version.version)}
        return self.call("POST", f"{api}/registered-models/alias", body, who=who)

    def resolved(self, name: str = play.MODEL, alias: str = "production", *, who: str = "scientist") -> Answer:
        """What the alias points to."""
        return self.call("GET", f"{API}/registered-models/alias?name={name}&alias={alias}", who=who)

    def in_production(self, name: str = play.MODEL) -> int | None:
        """The version that whoever asks for production gets; None: nobody gets one."""
        answer = self.resolved(name)
        return int(answer.json["model_version"]["version"]) if answer.status == 200 else None

    def promoted(self, version: Version, etag: int, *, who: str = "scientist") -> Answer:
        """Our own route, with an ETag."""
        return self.call(
            "POST", "/twinops/api/promote", {**version.which, "alias": "production", "etag": etag}, who=who
        )

    def etag(self, name: str = play.MODEL) -> int:
        """The alias's ETag."""
        return int(self.call("GET", f"/twinops/api/alias?name={name}&alias=production", who="scientist").json["etag"])

    def log(self) -> Any:
        """The audit log, as an officer reads it."""
        return self.call("GET", "/twinops/api/log", who="dpo").json

    def role(self, name: str) -> int:
        """The number of a role."""
        roles = self.call("GET", "/api/3.0/mlflow/roles/list", who="admin").json["roles"]
        return int(next(role["id"] for role in roles if role["name"] == name))

    def assign(self, who: str, role: str) -> Answer:
        """The administrator gives somebody a role; having it already is fine."""
        body = {"username": who, "role_id": self.role(role)}
        return self.call("POST", "/api/3.0/mlflow/roles/assign", body, who="admin")


@dataclass
class Remote(Client):
    """A server somebody else started."""

    address: str
    passwords: dict[str, str]
    governed: bool = True
    root: Path | None = None
    database: str | None = None
