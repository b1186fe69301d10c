"""Speak with a governed registry over HTTP: MLflow's own login, our routes below `/twinops/api/`."""

from __future__ import annotations

import base64
import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from twinops.adapters import straight
from twinops.entities.canonical import from_json
from twinops.errors import ParamsError, ServiceError, TwinopsError

ADDRESS = "TWINOPS_SERVER"
ACCOUNT, PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"  # names of variables
MOST_JSON = 256 * 1024**2
"""Bytes of an answer: ten thousand log entries are a hundredth of it."""
NOT_THERE = (" not found", " not found.")
"""So MLflow ends its sentence about an alias that is not set, with the status of a malformed request."""


class RefusedError(TwinopsError):
    """The registry said no, in its own sentence."""

    exit_code = 10


@dataclass(frozen=True)
class Door:
    """One server and the account that knocks."""

    address: str
    account: str = ""
    password: str = ""

    @classmethod
    def from_environment(cls) -> Door:
        """The server of `TWINOPS_SERVER`, with MLflow's own variables for the login."""
        address = os.environ.get(ADDRESS, "").rstrip("/")
        if not address.startswith(("http://", "https://")):
            raise ParamsError(f"{ADDRESS} does not name a registry.", hint=f"Set {ADDRESS}=http://127.0.0.1:5000.")
        return cls(address, os.environ.get(ACCOUNT, ""), os.environ.get(PASSWORD, ""))

    def get(self, route: str, **query: Any) -> dict[str, Any]:
        """One JSON answer."""
        told = urllib.parse.urlencode({name: str(value) for name, value in query.items()})
        return _object(self._call("GET", f"/twinops/api/{route}?{told}", None))

    def post(self, route: str, **body: Any) -> dict[str, Any]:
        """Send JSON, get JSON."""
        return _object(self._call("POST", f"/twinops/api/{route}", json.dumps(body).encode()))

    def ask(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """One of MLflow's own routes."""
        return _object(self._call(method, path, json.dumps(body).encode() if body else None))

    def artifact(self, place: str, *, most: int) -> bytes:
        """One file of the artifact store, of at most so many bytes."""
        return self._call("GET", f"/api/2.0/mlflow-artifacts/artifacts/{urllib.parse.quote(place)}", None, most=most)

    def _call(self, method: str, path: str, body: bytes | None, *, most: int = MOST_JSON) -> bytes:
        request = urllib.request.Request(self.address + path, data=body, method=method)  # noqa: S310  # http(s) only, checked
        if self.account:
            login = base64.b64encode(f"{self.account}:{self.password}".encode()).decode()
            request.add_header("Authorization", f"Basic {login}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with straight.opened(request, seconds=120) as answer:
                told = bytes(answer.read(most + 1))
        except urllib.error.HTTPError as problem:
            raise _unknown(self) if problem.code == 401 else _told(problem) from None
        except (urllib.error.URLError, OSError, http.client.HTTPException) as problem:
            raise ServiceError(
                f"The registry did not answer: {problem}.", hint="Is `twinops server` running?"
            ) from None
        if len(told) > most:
            raise ServiceError("The registry sent more than was asked for.", hint="Is this the registry, or a proxy?")
        return told


def against_closed_door() -> None:
    """Where a server is named, knock before MLflow does: it tells an unknown login or a silent server by a traceback.

    Raises:
        ParamsError: the login is not known there, or the address is none.
        ServiceError: nobody answers.
    """
    if os.environ.get(ADDRESS):
        Door.from_environment().get("whoami")


def _object(told: bytes) -> dict[str, Any]:
    """An answer as JSON; what means two things, or is none, is no answer."""
    try:
        answer = from_json(told)
    except ValueError as problem:
        raise ServiceError(f"The registry's answer is no JSON: {problem}.", hint="Is this the registry?") from None
    if not isinstance(answer, dict):
        raise ServiceError("The registry's answer is no JSON object.", hint="Is this the registry?")
    return answer


def _unknown(door: Door) -> ParamsError:
    """Whom and where: one of the two may be another than was meant. The password is never told."""
    who = f"the account {door.account!r} with this password" if door.account else "anybody without an account"
    where = urllib.parse.urlsplit(door.address)
    server = f"{where.scheme}://{where.netloc.rpartition('@')[2]}"  # an address may carry a login too
    return ParamsError(f"The registry at {server} does not know {who}.", hint=f"Set {ACCOUNT} and {PASSWORD}.")


def _told(problem: urllib.error.HTTPError) -> TwinopsError:
    text = problem.read()[:4000].decode(errors="replace")
    try:
        said = str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        said = text[:300]
    if problem.code in (403, 409):
        return RefusedError(said.removeprefix("twinops: "))
    if problem.code == 404 or said.endswith(NOT_THERE):
        return ParamsError(
            f"The registry has no such thing: {said}",
            hint="The queue at /twinops/ shows which versions there are and which alias each carries.",
        )
    return ServiceError(f"The registry answered {problem.code}: {said}", hint="Read what it says, then try again.")
