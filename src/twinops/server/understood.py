"""What goes wrong because of what a request says is the request's mistake: 4xx, once for every route and database.

MLflow's handlers and stores take much of what they are sent as it is, and stumble over it in a hundred places. What
they stumble with tells which side is at fault: a value that is none is the client's, a database that is away is ours.
"""

from __future__ import annotations

import errno
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

from google.protobuf.json_format import ParseError
from google.protobuf.message import DecodeError
from graphql import GraphQLError
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE
from sqlalchemy import Engine, event, exc
from sqlalchemy.engine import ExceptionContext
from werkzeug.exceptions import HTTPException

from twinops.server.refusals import RequestError, mistake

MISTAKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    DecodeError,
    GraphQLError,
    LookupError,
    ParseError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What code answers with to values it was not made for."""
PATHS = (errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR, errno.ENOTEMPTY)
"""What a file system says of a path that is none."""
VALUES = (exc.DataError, exc.StatementError)
"""What a database says of a value, the classes themselves: most that inherit from them say that it is away or busy."""
SENTENCE = "the request is not understood: a value in it is none that this route can take."
_log = logging.getLogger("twinops.bounds")


def understood(problem: BaseException) -> RequestError:
    """The refusal that an exception amounts to.

    Raises:
        BaseException: the same, when it is not the request's fault.
    """
    if isinstance(problem, RequestError):
        return problem
    if mistaken(problem):
        note(problem)
        return RequestError(400, SENTENCE)
    raise problem


def mistaken(problem: BaseException) -> bool:
    """Is it the request's fault?"""
    if isinstance(problem, exc.SQLAlchemyError):
        return type(problem) in VALUES
    return isinstance(problem, MISTAKEN) or (isinstance(problem, OSError) and problem.errno in PATHS)


def note(problem: BaseException) -> None:
    """Say where it happened, for whoever looks for an error of ours; never what was sent."""
    last = traceback.extract_tb(problem.__traceback__)[-1:]
    where = f"{'/'.join(PurePath(last[0].filename).parts[-3:])}:{last[0].lineno}" if last else "an unknown place"
    _log.warning("A request was not understood: %s at %s.", type(problem).__name__, where)


def sessions(stock: Any) -> Any:
    """A store's sessions, in which a mistake is told as such: MLflow's own make an internal error of it."""

    @contextmanager
    def session(read_only: bool = True) -> Iterator[Any]:
        with stock(read_only=read_only) as made:
            try:
                yield made
            except Exception as problem:
                if isinstance(problem, MlflowException | exc.SQLAlchemyError) and not mistaken(problem):
                    raise
                note(problem)
                raise (mistake(SENTENCE) if mistaken(problem) else _away(problem)) from None

    return session


def _away(problem: Exception) -> MlflowException:
    sentence = f"twinops: the server could not do it ({type(problem).__name__}). Ask again."
    return MlflowException(sentence, TEMPORARILY_UNAVAILABLE)


def watch(flask: Any) -> None:
    """Around Flask's routes and every database of this process."""
    flask.register_error_handler(Exception, _told)
    flask.after_request(_worded)
    if not event.contains(Engine, "handle_error", _unfit):
        event.listen(Engine, "handle_error", _unfit)


def _told(problem: Exception) -> Any:
    from flask import Response

    if isinstance(problem, HTTPException):
        return problem
    refused = problem if isinstance(problem, MlflowException) else mistake(str(understood(problem)))
    return Response(refused.serialize_as_json(), refused.get_http_status_code(), mimetype="application/json")


def _worded(response: Any) -> Any:
    """MLflow's code for a refusal that says no other; what broke inside a store was told apart before."""
    if response.status_code == 500 and response.is_json:
        told = response.get_json(silent=True) or {}
        if told.get("error_code") == "INTERNAL_ERROR":
            _log.warning("MLflow refused a request without saying whose fault it is.")
            response.set_data(mistake(str(told.get("message"))).serialize_as_json())
            response.status_code = 400
    return response


def _unfit(context: ExceptionContext) -> None:
    """A value that a column cannot hold, or a driver cannot send: MLflow would call it an error of its own."""
    problem = context.sqlalchemy_exception or context.original_exception
    if mistaken(problem):
        note(problem)
        raise mistake(SENTENCE) from None
