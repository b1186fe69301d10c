"""What all tests of the server share."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Callable, Iterator

import pytest

with warnings.catch_warnings(action="ignore"):
    import mlflow.store.model_registry.sqlalchemy_store  # noqa: F401  # MLflow's own warnings, at its first import

from live import Bucket, Postgres, postgresql, s3, why_no_postgresql

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


@pytest.fixture(scope="session")
def buckets() -> Iterator[Callable[[], Bucket]]:
    """Prefixes of a bucket of one server that plays S3 for all files that one process runs."""
    with s3() as endpoint:
        Bucket(endpoint, "shop", "").client.create_bucket(Bucket="shop")
        yield lambda: Bucket(endpoint, "shop", f"twins/{uuid.uuid4().hex[:8]}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In a bucket only what concerns bytes is tried anew; and MLflow warns of its own dependencies."""
    items[:] = [item for item in items if _storage(item) != "s3" or item.get_closest_marker("artifacts")]
    for item in items:
        if "tests/server" in item.path.as_posix():
            for warning in OTHERS:
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{warning}"))


def _storage(item: pytest.Item) -> object:
    return (
        item.callspec.params.get("siege") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None
    )
