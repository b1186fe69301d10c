"""A real server in a process of its own, spoken to over real HTTP; and a PostgreSQL of its own, not run by root."""

from __future__ import annotations

import base64
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import candidate
import play
import preloaded

SOURCE = candidate.ROOT / "src"
POSTGRESQL = Path("/usr/lib/postgresql")
API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


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
class Live:
    """One running server."""

    root: Path
    port: int
    database: str | None
    workers: int = 1
    process: subprocess.Popen[str] | preloaded.Forked | None = None
    passwords: dict[str, str] = field(default_factory=dict)
    said: str = ""
    fresh: bool = False
    """Started as a person would, with all that it imports."""
    bucket: Bucket | None = None
    """Where artifacts lie, if not on the disk."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *options: str, **environment: str) -> None:
        """Start it and wait until it answers; passwords are read where a person would read them."""
        log = self.root / "server.log"
        log.write_text("")
        words = ("--project", str(self.root), "server", "--port", str(self.port), "--workers", str(self.workers))
        told = self.environment(**environment)
        if self.fresh:
            command = [sys.executable, "-m", "twinops", *words, *options]
            with log.open("w") as out:
                self.process = subprocess.Popen(command, stdout=out, stderr=out, env=told, start_new_session=True)
        else:
            self.process = preloaded.Command((*words, *options), Path.cwd(), told, log, log).start()
        play.wait_until(lambda: self._up(log), seconds=180)
        self.said = log.read_text()
        lines = [line.split() for line in self.said.splitlines() if line.startswith("  ")]
        self.passwords |= {words[0]: words[1] for words in lines if len(words) == 2}

    def environment(self, **more: str) -> dict[str, str]:
        """What the server's process sees."""
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("MLFLOW_", "_MLFLOW_", "TWINOPS_", "PYTEST"))}
        database = {"TWINOPS_DATABASE_URL": self.database} if self.database else {}
        told = {"PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1", "TWINOPS_DEBUG": "1"}
        return {**kept, **told, **database, **(self.bucket.told if self.bucket else {}), **more}

    def change(self, kept: str, content: bytes) -> None:
        """Somebody with the disk or the bucket in hand changes a file: `mlruns/...` or `approved/...`."""
        if self.bucket is not None:
            self.bucket.client.put_object(Bucket=self.bucket.name, Key=f"{self.bucket.prefix}/{kept}", Body=content)
            return
        path = self.root / kept if kept.startswith("mlruns/") else self.root / "registry" / kept
        path.chmod(0o644)
        path.write_bytes(content)

    def _up(self, log: Path) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, log.read_text()
        try:
            return self.call("GET", "/health").status == 200
        except OSError:
            return False

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it and everything it started."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, how)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(20)

    def call(self, method: str, path: str, body: Any = None, *, who: str | None = None, **headers: str) -> Answer:
        """One request; `body` is sent as JSON unless it is bytes."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, method=method)
        if body is not None and not isinstance(body, bytes):
            request.add_header("Content-Type", "application/json")
        if who is not None:
            login = base64.b64encode(f"{who}:{self.passwords[who]}".encode()).decode()
            request.add_header("Authorization", f"Basic {login}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as problem:
            return Answer(problem.code, problem.read(), dict(problem.headers))

    def post(self, path: str, body: Any, *, who: str) -> Answer:
        """A POST that must work."""
        answer = self.call("POST", path, body, who=who)
        assert answer.status == 200, answer.body
        return answer

    # the play, over HTTP

    def activate(self, policy: str = play.POLICY) -> None:
        """The risk officer activates the play policy."""
        self.post("/twinops/api/rules", {"kind": "policy", "text": policy}, who="risk-officer")

    def registered(
        self, number: int = 0, *, who: str = "scientist", name: str = play.MODEL, files: Any = None
    ) -> Version:
        """Somebody makes a run, uploads a model and registers it, as MLflow's client does."""
        version = self.uploaded(number, who=who, name=name, files=files)
        self.call("POST", f"{API}/registered-models/create", {"name": name}, who=who)
        made = self.post(f"{API}/model-versions/create", version.request, who=who).json["model_version"]
        version.version = int(made["version"])
        return version

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
        """A version that was registered, judged and approved."""
        version = self.registered(number, **more)
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

    def promoted(self, version: Version, etag: int, *, who: str = "scientist") -> Answer:
        """Our own route, with an ETag."""
        return self.call(
            "POST", "/twinops/api/promote", {**version.which, "alias": "production", "etag": etag}, who=who
        )

    def etag(self, name: str = play.MODEL) -> int:
        """The alias's ETag."""
        return int(self.call("GET", f"/twinops/api/alias?name={name}&alias=production", who="scientist").json["etag"])


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


@dataclass(frozen=True)
class Bucket:
    """A prefix of a bucket that moto plays."""

    endpoint: str
    name: str
    prefix: str

    @property
    def address(self) -> str:
        return f"s3://{self.name}/{self.prefix}"

    @property
    def told(self) -> dict[str, str]:
        """What whoever starts the server sets."""
        return {"TWINOPS_ARTIFACTS": self.address, "AWS_ENDPOINT_URL": self.endpoint, **KEYS}

    @cached_property
    def client(self) -> Any:
        """Somebody who has the server's own keys."""
        from boto3.session import Session

        return Session(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1").client(
            "s3", endpoint_url=self.endpoint
        )

    def listed(self) -> list[str]:
        """Every object below the prefix."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=self.prefix)
        return [at["Key"] for page in pages for at in page.get("Contents", ())]


KEYS = {"AWS_ACCESS_KEY_ID": "play", "AWS_SECRET_ACCESS_KEY": "play", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def s3() -> Iterator[str]:
    """A server that plays S3, and its address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


@contextmanager
def serving(
    root: Path, database: str | None = None, *, workers: int = 1, fresh: bool = False, bucket: Bucket | None = None
) -> Iterator[Live]:
    """A server in this folder with the play's rules, stopped afterwards."""
    candidate.write(root / "compliance" / "offices.yaml", play.OFFICES)
    if database is None and not fresh:
        play.copy_migrated(root)
    live = Live(root, free_port(), database, workers, fresh=fresh, bucket=bucket)
    try:
        live.start()
        live.activate()
        yield live
    finally:
        live.stop()


def free_port() -> int:
    """A port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Postgres:
    """A PostgreSQL server of the tests' own."""

    folder: Path
    port: int
    binaries: Path
    prefix: tuple[str, ...]
    template: str | None = None
    """A database that holds MLflow's tables and nothing else."""

    def control(self, *words: str) -> None:
        """pg_ctl."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-s", *words)

    def start(self) -> None:
        """Start or start again."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=on"
        self.control("-l", str(self.folder / "log"), "-o", options, "start")

    def crash(self) -> None:
        """As a power cut would: no shutdown checkpoint, recovery from the log at the next start."""
        self.control("-m", "immediate", "stop")
        self.start()

    def database(self) -> str:
        """The address of a new database with MLflow's tables, whose migrations take seconds and run once."""
        if self.template is None:
            self.template = self._created("template0")
            play.migrate(self._address(self.template).replace("postgresql://", "postgresql+psycopg://"))
        return self._address(self._created(self.template))

    def _created(self, template: str) -> str:
        name = f"play_{uuid.uuid4().hex[:12]}"
        self._run("createdb", "-h", str(self.folder), "-p", str(self.port), "-U", "owner", "-T", template, name)
        return name

    def _address(self, name: str) -> str:
        return f"postgresql://owner@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *words: str) -> None:
        command = [*self.prefix, str(self.binaries / program), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", timeout=120)
        assert done.returncode == 0, (command, done.stdout, done.stderr)


def why_no_postgresql() -> str | None:
    """Why there cannot be one here; None: there can."""
    if not binaries():
        return "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"
    if os.getuid() == 0 and not (shutil.which("setpriv") and _postgres_user()):
        return "PostgreSQL does not run as root, and there is no user postgres to run it as"
    return None


def binaries() -> Path | None:
    """Where its programs are."""
    found = sorted(POSTGRESQL.glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def postgresql() -> Iterator[Postgres]:
    """Started in a folder of its own, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="twinops-pg-"))
    where = binaries()
    assert where is not None
    user = _postgres_user()
    prefix: tuple[str, ...] = ()
    if os.getuid() == 0:
        assert user is not None
        os.chown(folder, user.pw_uid, user.pw_gid)
        prefix = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--")
    made = Postgres(folder, free_port(), where, prefix)
    try:
        made._run("initdb", "-D", str(folder / "data"), "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-sync")
        made.start()
        yield made
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            made.control("-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _postgres_user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None
