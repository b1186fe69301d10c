"""A real server in a process of its own, spoken to over real HTTP; and a PostgreSQL of its own, not run by root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import candidate
import play
import preloaded

from siege.client import API, ARTIFACTS, Answer, Client, Version

SOURCE = candidate.ROOT / "src"
POSTGRESQL = Path("/usr/lib/postgresql")
__all__ = ["API", "ARTIFACTS", "Answer", "Live", "Version"]
"""What is said to a server is at home in `siege.client`."""


@dataclass
class Live(Client):
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
    def address(self) -> str:  # type: ignore[override]
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        """SQLAlchemy's address of the database, as the server opens it."""
        if self.database:
            return self.database.replace("postgresql://", "postgresql+psycopg://")
        return f"sqlite:///{self.root}/mlflow.db"

    @property
    def owner_url(self) -> str:
        """The same, as the owner of the tables."""
        return self.database_url.replace("twinops_app@", "owner@")

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
        """Start or start again. The server is killed here and never the kernel, which keeps what was written."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
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
