from __future__ import annotations

import pytest
from workshop import Workshop, make_workshop


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A small project whose pipeline ran once, tracked, registered and committed. Tests leave it as they found it."""
    workshop = make_workshop(tmp_path_factory.mktemp("ran") / "project")
    workshop.repro()
    workshop.do("twinops", "track")
    workshop.do("twinops", "register")
    workshop.commit("what the pipeline made")
    return workshop
