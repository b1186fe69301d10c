"""Take down one person's answer to one unit of the retention proposal; an older signature falls away."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from pydantic import ValidationError

from twinops.errors import ParamsError
from twinops.governance.law import retention
from twinops.whole_files import write
from twinops.workflows.compliance_files import SIGNATURE, text_of
from twinops.workflows.places import Places
from twinops.workflows.retention.status import RetentionStatus
from twinops.workflows.retention.status import status as retention_status


def decide(places: Places, *, unit: str, answer: Mapping[str, Any], dated: str | None = None) -> RetentionStatus:
    """Write the answer (`accepted`, `reason`, `by`) into `compliance/retention.yaml`, for the proposal as it is now.

    Raises:
        ParamsError: nothing of this name is proposed, or the answer cannot be taken.
    """
    now = retention_status(places)
    if unit not in now.texts:
        raise ParamsError(f"Nothing called {unit!r:.40} is proposed.", hint=f"Units are {', '.join(now.texts)}.")
    try:
        day = date.fromisoformat(dated) if dated else datetime.now(UTC).date()
        decided = retention.Decided(**answer, dated=day)
    except (ValidationError, ValueError):
        hint = "Give a reason, a name and a day as YYYY-MM-DD."
        raise ParamsError("The answer cannot be taken.", hint=hint) from None
    path = places.compliance / "retention.yaml"
    head = "".join(line for line in text_of(path).splitlines(keepends=True) if line.startswith("#"))
    made = retention.written(retention.decided(now.decisions, now.proposal, unit, decided), head=head)
    retention.read(made)
    write(path, made)
    path.with_name(path.name + SIGNATURE).unlink(missing_ok=True)
    return retention_status(places)
