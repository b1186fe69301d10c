"""How the server says no: MLflow's own errors, whose sentences its dialog and clients show word for word."""

from __future__ import annotations

import json
import re
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, PERMISSION_DENIED
from sqlalchemy import event

OURS = "twinops: "
_SAID = re.compile(rf"{OURS}[^\n\"'()]+")
_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    429: "REQUEST_LIMIT_EXCEEDED",
}
"""MLflow's names for statuses; every other 4xx is a bad request to its clients."""


class RequestError(Exception):
    """The request is answered with this status and sentence before a route sees it."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]

    @property
    def messages(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The answer as ASGI sends it, in the shape of MLflow's errors."""
        told = {"error_code": _CODES.get(self.status, "BAD_REQUEST"), "message": OURS + str(self)}
        body = json.dumps(told).encode()
        about = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        start = {"type": "http.response.start", "status": self.status, "headers": [*about, *self.headers]}
        return start, {"type": "http.response.body", "body": body}


def refusal(sentence: str) -> MlflowException:
    """A rule says no: HTTP 403."""
    return MlflowException(OURS + sentence.removeprefix(OURS), PERMISSION_DENIED)


def mistake(sentence: str) -> MlflowException:
    """The request itself makes no sense: HTTP 400."""
    return MlflowException(OURS + sentence, INVALID_PARAMETER_VALUE)


def refuse(against: tuple[str, ...]) -> None:
    """Say every reason against at once; none: go on."""
    if against:
        raise refusal(" ".join(against))


def tell_as_refusals(engine: Any) -> None:
    """What a trigger of ours refuses, MLflow's own stores tell as 403 in our sentence, whatever route led there."""

    @event.listens_for(engine, "handle_error")
    def tell(context: Any) -> None:
        said = _SAID.search(str(context.original_exception))
        if said:
            from flask import g, has_request_context

            if has_request_context():
                g.twinops_refused = said[0]
            raise refusal(f"{said[0]}.")
