"""Ask the registry's officers to look at what is in production. Nothing that is served is stopped by it."""

from __future__ import annotations

import os

from twinops.adapters.registry_client.client import ADDRESS, Door
from twinops.errors import ServiceError

NOBODY = "No registry is named."
NOTHING = "Nothing of this name is in production there."


def ask(model: str, reason: str) -> str:
    """Put a request for review on the production version into the queue, once for the same reason; where it is.

    Raises:
        ServiceError: no registry is named or answers, or nothing is in production there.
        RefusedError: the registry takes no requests yet.
    """
    if not os.environ.get(ADDRESS):
        raise ServiceError(NOBODY, hint=f"Set {ADDRESS}; the request waits.")
    door = Door.from_environment()
    version = door.get("alias", name=model, alias="production")["version"]
    if version is None:
        raise ServiceError(NOTHING, hint="The request waits until something is.")
    there = door.get("version", name=model, version=version)["reviews"]
    if not any(one["act"] == "request" and one["reason"] == reason for one in there):
        door.post("review", name=model, version=version, act="request", reason=reason)
    return f"version {version} at {door.address}"
