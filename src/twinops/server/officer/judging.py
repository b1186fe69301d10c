"""By which judge a version was measured, and in what it differs from the active one: what an officer reads first."""

from __future__ import annotations

from typing import Any

from twinops.governance.policy import judge as judges
from twinops.governance.policy.judge import JudgeChange
from twinops.server.officer import dossier
from twinops.server.officer.dossier import Dossier
from twinops.server.registry.store import GovernedStore

RUN = "gate_run"


def changes(store: GovernedStore, shown: Dossier) -> tuple[JudgeChange, ...]:
    """Stages, then files, in which the judge of this version's evidence is another than the active one.

    Before any judge is active, everything is new.
    """
    if shown.submitted is None or judges.NAME not in shown.files:
        return ()
    active = shown.judge.judge if shown.judge else None
    if active is not None and shown.submitted.body.get("judge") == active.digest:
        return ()
    text = dossier.file_of(store, shown, judges.NAME).read_text(encoding="utf-8")
    return judges.differences(active, judges.read(text))


def told(shown: Dossier) -> dict[str, Any]:
    """How the gate runner says that the run was made; nothing for what was adopted."""
    found = shown.evidence.value(RUN) if shown.evidence else None
    return dict(found) if isinstance(found, dict) else {}
