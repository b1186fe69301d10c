"""Which extra of the package brings a library that is not installed."""

from __future__ import annotations

EXTRA_OF = {
    "boto3": "s3",
    "botocore": "s3",
    "fastapi": "serve",
    "flask_wtf": "server",
    "jupyterlab": "lab",
    "jwt": "serve",
    "opendp": "release",
    "opentelemetry": "serve",
    "prometheus_client": "serve",
    "psycopg": "server",
    "pyspark": "spark",
    "rfc3161_client": "server",
    "uvicorn": "serve",
}
"""Module -> extra, of those that the core of the package does without."""


def lacking(problem: BaseException | None) -> str:
    """The extra that brings what could not be imported; nothing when it is no matter of extras.

    >>> lacking(ModuleNotFoundError("no", name="opendp.prelude"))
    'release'
    """
    while problem is not None:
        named = (getattr(problem, "name", None) or "").partition(".")[0]
        if isinstance(problem, ImportError) and named in EXTRA_OF:
            return EXTRA_OF[named]
        problem = problem.__cause__ or problem.__context__
    return ""
