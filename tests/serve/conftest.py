"""One project for all tests of the service, built once; each test that changes it takes a copy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import serving
from serving import Asked, Shop


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return serving.built(tmp_path_factory.mktemp("shop") / "shop")


@pytest.fixture
def shop(built: Shop, tmp_path: Path) -> Shop:
    return serving.copied(built, tmp_path / "shop")


@pytest.fixture
def asked(shop: Shop) -> Iterator[Asked]:
    """A client that may do everything, of a running service."""
    token = shop.token("everything")
    with serving.running(shop) as (address, _):
        yield Asked(address, token)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Connections of module-wide clients are opened again when they are used."""
    yield
    while serving.OPENED:
        serving.OPENED.pop().http.close()
