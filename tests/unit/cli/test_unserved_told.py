"""`twinops status` names each purpose that serves nobody, whatever people answered to it."""

from __future__ import annotations

import pytest
from governed import candidate, fact, shipped_policy

from twinops.cli._table import show
from twinops.governance.policy.decide import decide
from twinops.workflows.candidate.status import Status

WHY = "the purpose offers has no basis in own.sales, so it serves nobody"


def test_a_purpose_that_people_answered_and_no_basis_covers_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    evidence = candidate(fact("purposes_undeclared", {"offers": WHY}))
    found = Status(evidence, decide(shipped_policy(), evidence), None, None)
    assert found.to_dict()["unserved"] == {"offers": WHY}
    show(found, columns=120)
    assert f"Whatever people answered: {WHY}." in " ".join(capsys.readouterr().out.split())
    silent = candidate(fact("purposes_undeclared", {}))
    show(Status(silent, decide(shipped_policy(), silent), None, None), columns=120)
    assert "Whatever people answered" not in capsys.readouterr().out
