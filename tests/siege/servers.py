"""Servers to besiege: ours on both databases as the documentation sets them up, and stock MLflow with basic-auth."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import candidate
import live as living
import play
from sqlalchemy import create_engine, text

from siege.client import API

GRANTS = re.compile(r"```sql\n(.*?)```", re.DOTALL)
PEOPLE = {"scientist": "scientist", "ci": None, "risk-officer": None, "dpo": None}
ALL = frozenset({"judges", "database", "owner", "disk", "process", "tests"})
"""What the attacker of a server of ours may hold."""
OF_STOCK = ALL - {"judges", "tests"}


def psycopg(address: str) -> str:
    """SQLAlchemy's name of the driver that is installed."""
    return address.replace("postgresql://", "postgresql+psycopg://")


def granted(owner_url: str) -> None:
    """What the documentation says the owner runs."""
    sql = GRANTS.search((candidate.ROOT / "docs" / "operate.md").read_text())
    assert sql
    owner = create_engine(owner_url)
    with owner.begin() as connection:
        if not connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = 'twinops_app'")).scalar():
            connection.execute(text("CREATE ROLE twinops_app LOGIN"))
        connection.exec_driver_sql(sql[1].replace("%", "%%"))
    owner.dispose()


@contextmanager
def two_roles(root: Path, database: str) -> Iterator[living.Live]:
    """On PostgreSQL: begun by the owner, then two workers as a role that can undo nothing."""
    with living.serving(root, database) as first:
        passwords = first.passwords
    granted(psycopg(database))
    app = database.replace("owner@", "twinops_app@")
    server = living.Live(root, living.free_port(), app, 2, None, passwords)
    try:
        server.start()
        assert "passwords" not in server.said
        yield server
    finally:
        server.stop()


class Stock(living.Live):
    """The same MLflow as people start it, with its own basic-auth and no more."""

    governed = False

    def start(self, *_options: str, **_environment: str) -> None:
        """Start it, wait, and make the accounts: a scientist may edit everything, all others read."""
        self.root.mkdir(parents=True, exist_ok=True)
        ini = self.root / "accounts.ini"
        self.passwords = {"admin": "an-administrators-password"}
        store = psycopg(self.database) if self.database else f"sqlite:///{self.root}/mlflow.db"
        accounts = store if self.database else f"sqlite:///{self.root}/accounts.db"
        ini.write_text(
            f"[mlflow]\ndefault_permission = READ\ndatabase_uri = {accounts}\nadmin_username = admin\n"
            f"admin_password = {self.passwords['admin']}\nauth_cache_ttl_seconds = 60\n"
        )
        command = [sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth", "--backend-store-uri", store]
        command += ["--artifacts-destination", (self.root / "mlruns").as_uri(), "--workers", str(self.workers)]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        told = {
            **self.environment(),
            "MLFLOW_AUTH_CONFIG_PATH": str(ini),
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "siege",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # a dozen processes that no attack needs
        }
        log = self.root / "server.log"
        with log.open("w") as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=out, env=told, cwd=self.root, start_new_session=True
            )
        play.wait_until(lambda: self._up(log), seconds=180)
        self._accounts()

    def _accounts(self) -> None:
        made = self.post(
            "/api/3.0/mlflow/roles/create", {"name": "scientist", "workspace": "default"}, who="admin"
        ).json
        role = made["role"]["id"]
        for resource in ("experiment", "registered_model"):
            body = {"role_id": role, "resource_type": resource, "resource_pattern": "*", "permission": "EDIT"}
            self.post("/api/3.0/mlflow/roles/permissions/add", body, who="admin")
        for name, given in PEOPLE.items():
            self.passwords[name] = f"the-password-of-{name}"
            self.post(f"{API}/users/create", {"username": name, "password": self.passwords[name]}, who="admin")
            if given:
                self.post("/api/3.0/mlflow/roles/assign", {"username": name, "role_id": role}, who="admin")


@contextmanager
def stock(root: Path, database: str | None = None) -> Iterator[Stock]:
    """Stock MLflow in a scratch folder."""
    server = Stock(root, living.free_port(), database)
    try:
        server.start()
        yield server
    finally:
        server.stop()
