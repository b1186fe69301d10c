"""How the server says no: MLflow's own errors, whose sentences its dialog and clients show word for word."""

from __future__ import annotations

import re
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, PERMISSION_DENIED
from sqlalchemy import event

OURS = "twinops: "
_SAID = re.compile(rf"{OURS}[^\n\"'()]+")


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
