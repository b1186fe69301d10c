"""Read the project's policy; without one nothing passes, and nothing that it limits is measured."""

from __future__ import annotations

from twinops.errors import ParamsError
from twinops.governance import policy
from twinops.governance.policy import Policy
from twinops.workflows.places import Places


def rules_of(places: Places) -> Policy:
    """The project's policy.

    Raises:
        ParamsError: there is none, or it holds mistakes.
    """
    path = places.compliance / "policy.yaml"
    try:
        return policy.read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(
            "There is no compliance/policy.yaml.", hint="Restore it from git; nothing passes without a policy."
        ) from None
