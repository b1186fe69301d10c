"""A server starts whole or not at all; and it is stock MLflow's own command that takes our plugins too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import live as living
import pytest

from twinops.errors import ServiceError
from twinops.server.app import guard, startup_checks

pytestmark = pytest.mark.pipeline


@pytest.mark.parametrize("module", ["registry.home", "refusals"])
def test_whichever_module_of_the_server_comes_first_nothing_is_warned_of(module: str) -> None:
    """MLflow loads our artifact store with itself; a module of ours that began MLflow's import was found half made."""
    command = [sys.executable, "-W", "default::UserWarning", "-c", f"import twinops.server.{module}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def started(root: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a server command that should end by itself."""
    live = living.Live(root, living.free_port(), None)
    command = [sys.executable, "-W", "ignore", "-m", *options, "--port", str(live.port)]
    told = live.environment(**environment)
    return subprocess.run(command, env=told, capture_output=True, text=True, timeout=120, check=False, cwd=root)


def test_stock_mlflow_with_our_app_and_its_own_registry_does_not_start(tmp_path: Path) -> None:
    plugins = entry_points(tmp_path)
    done = started(
        tmp_path, "mlflow", "server", "--app-name", "twinops", "--backend-store-uri", f"sqlite:///{tmp_path}/a.db",
        PYTHONPATH=f"{living.SOURCE}{os.pathsep}{plugins}",
    )  # fmt: skip
    assert done.returncode != 0
    assert "registry is stock MLflow's" in done.stderr + done.stdout, done.stderr[-2000:]


def entry_points(folder: Path) -> Path:
    """What an installation tells MLflow, for a package that is only on the path."""
    import tomllib

    import candidate

    told = tomllib.loads((candidate.ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    info = folder / "plugins" / "twinops_here-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: twinops-here\nVersion: 1\n")
    lines = [f"[{group}]\n" + "".join(f"{n} = {v}\n" for n, v in points.items()) for group, points in told.items()]
    (info / "entry_points.txt").write_text("\n".join(lines))
    return info.parent


def test_one_server_per_folder(tmp_path: Path) -> None:
    with living.serving(tmp_path, fresh=True) as live:
        second = started(tmp_path, "twinops", "--project", str(tmp_path), "server")
        assert second.returncode == 5
        assert "works in this folder already" in second.stderr
        assert f"process {live.process.pid}" in second.stderr
        import sqlite3

        with sqlite3.connect(tmp_path / "mlflow.db") as connection:
            connection.execute("DROP TRIGGER twinops_alias_new")
        live.stop(9)
        live.start(WEB_CONCURRENCY="3")  # which uvicorn would take for a number of workers, and end
        assert live.passwords, "shown at the first start only"
        assert "passwords" not in live.said
        with sqlite3.connect(tmp_path / "mlflow.db") as connection:
            back = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'twinops_alias_new'").fetchone()
        assert back == (1,), "triggers are put in anew at every start"


def test_every_open_door_and_missing_layer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in startup_checks.OFF:
        monkeypatch.setenv(name, "true")
    with pytest.raises(ServiceError) as problem:
        startup_checks.check(object(), living_home())
    told = str(problem.value)
    assert [name for name in startup_checks.OFF if name not in told] == []
    for words in ("the registry store is not ours", "MLFLOW_BASIC_AUTH_FAIL_CLOSED", "artifacts do not go through"):
        assert words in told
    with pytest.raises(ServiceError, match="stock MLflow's"):
        startup_checks.store_only(object())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MLFLOW_ARTIFACTS_PRESIGNED_ONLY", "true"),  # clients past the proxy, from 3.18 on
        ("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true"),  # parts straight into the bucket
        ("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "true"),
        ("MLFLOW_ARTIFACTS_ONLY", "true"),
        ("MLFLOW_ARTIFACTS_DESTINATION", "s3://elsewhere"),
        ("MLFLOW_DEFAULT_ARTIFACT_ROOT", "s3://elsewhere"),
        ("MLFLOW_SERVE_ARTIFACTS", "false"),
        ("MLFLOW_S3_UPLOAD_EXTRA_ARGS", '{"ACL": "public-read-write"}'),
        ("MLFLOW_S3_IGNORE_TLS", "true"),
        ("MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES", "http"),
        ("MLFLOW_STATIC_PREFIX", "/x"),  # rules and guards know routes by their whole path
        ("MLFLOW_AUTH_CONFIG_PATH", "mine.ini"),
        ("MLFLOW_AUTH_ADMIN_PASSWORD", "known"),
        ("MLFLOW_BASIC_AUTH_FAIL_CLOSED", "false"),
        ("MLFLOW_SERVER_ENABLE_GRAPHQL_AUTH", "false"),
        ("_MLFLOW_INTERNAL_GATEWAY_AUTH_TOKEN", "known"),
        ("_MLFLOW_ASSISTANT_DELEGATION_SIGNING_KEY", "known"),
        ("_MLFLOW_IN_JOB_EXECUTOR", "true"),
        ("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "1"),
        ("MLFLOW_ENABLE_WORKSPACES", "TRUE"),
        ("MLFLOW_ENABLE_AI_GATEWAY", "yes"),
        ("MLFLOW_READ_REPLICA_BACKEND_STORE_URI", "sqlite:///old.db"),  # what was revoked would still be served
        ("MLFLOW_SQLALCHEMYSTORE_ECHO", "true"),  # rows in the log
        ("_MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS", "true"),
        ("MLFLOW_TRACE_ARCHIVAL_CONFIG", "mine.yaml"),
        ("MLFLOW_GUNICORN_OPTS", "--reload"),
        ("MLFLOW_UVICORN_OPTS", "--root-path /x"),
        ("GUNICORN_CMD_ARGS", "--reload"),
        ("UVICORN_ROOT_PATH", "/x"),
        ("FLASK_DEBUG", "1"),
        ("prometheus_multiproc_dir", "metrics"),
        ("MLFLOW_OF_A_LATER_VERSION", "anything"),
    ],
)
def test_a_setting_that_nobody_looked_at_or_that_goes_round_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ServiceError, match=rf"{name} is (set|on)"):
        startup_checks.against_settings({"PATH": "x", name: value})


def test_settings_that_change_nothing_of_what_is_promised_are_followed_and_are_mlflows_own() -> None:
    from mlflow import environment_variables

    startup_checks.against_settings({**dict.fromkeys(startup_checks.HARMLESS, "1"), "MLFLOW_STATIC_PREFIX": ""})
    startup_checks.against_settings({**dict.fromkeys(startup_checks.OFF, "false"), "TWINOPS_HOME": "x", "AWS_X": "y"})
    assert [name for name in startup_checks.HARMLESS if not hasattr(environment_variables, name)] == []


def test_a_server_told_to_go_round_the_store_says_so_and_makes_nothing(tmp_path: Path) -> None:
    told = {"MLFLOW_ARTIFACTS_PRESIGNED_ONLY": "true", "MLFLOW_STATIC_PREFIX": "/x", "TWINOPS_DEBUG": ""}
    done = started(tmp_path, "twinops", "--project", str(tmp_path), "server", **told)
    assert done.returncode == 5
    assert "MLFLOW_ARTIFACTS_PRESIGNED_ONLY is on (clients would read and write artifacts past" in done.stderr
    assert "MLFLOW_STATIC_PREFIX is set" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "registry" / "accounts.ini").exists()
    assert not (tmp_path / "mlruns").exists()


def living_home() -> object:
    from twinops.server.registry.home import Home

    return Home(Path("nowhere").resolve())


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin", "origin": "http://here:5000"}, True),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, False),
        ({"origin": "http://localhost:5000"}, False),
        ({"origin": "http://here:5000.evil"}, False),
    ],
)
def test_the_guard_lets_through_what_is_of_the_same_origin(headers: dict[str, str], passes: bool) -> None:
    told = [(b"host", b"here:5000"), *((n.encode(), v.encode()) for n, v in headers.items())]
    scope = {"type": "http", "method": "GET", "path": "/twinops/", "headers": told}
    assert (guard.against(scope) is None) is passes
