"""What all tests of the server share."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

with warnings.catch_warnings(action="ignore"):
    import mlflow.store.model_registry.sqlalchemy_store  # noqa: F401  # MLflow's own warnings, at its first import

from live import Postgres, postgresql, why_no_postgresql

OTHERS = (
    "sqlalchemy.exc.SADeprecationWarning",
    "starlette.exceptions.StarletteDeprecationWarning",
    "DeprecationWarning",
    "FutureWarning",
    "ResourceWarning",
)
"""Warnings that MLflow's own code gives; ours are tested elsewhere."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for all files that one process runs; each test has databases of its own."""
    why = why_no_postgresql()
    if why:
        pytest.skip(why)
    with postgresql() as server:
        yield server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """MLflow warns of its own dependencies."""
    for item in items:
        if "tests/server" in item.path.as_posix():
            for warning in OTHERS:
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{warning}"))
