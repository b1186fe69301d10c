"""Who is calling: the account that logged in, wherever in MLflow the question comes up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

UNKNOWN = "unknown"
_account: ContextVar[str | None] = ContextVar("twinops_account", default=None)


def current() -> str:
    """The account of this request; `unknown` when nobody logged in, which no rule accepts."""
    named = _account.get()
    if named:
        return named
    from flask import g, has_request_context

    return getattr(g, "mlflow_authenticated_user", None) or UNKNOWN if has_request_context() else UNKNOWN


@contextmanager
def acting(account: str) -> Iterator[None]:
    """Act as this account inside the block: for routes outside Flask, the command line and tests."""
    token = _account.set(account)
    try:
        yield
    finally:
        _account.reset(token)
