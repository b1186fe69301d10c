"""How the server says no: MLflow's own errors, whose sentences its dialog and clients show word for word."""

from __future__ import annotations

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, PERMISSION_DENIED

OURS = "twinops: "


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
