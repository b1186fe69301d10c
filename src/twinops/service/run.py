"""Start the service: one process, or several that share the files of the project."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any

import uvicorn
from fastapi import FastAPI

from twinops.errors import ServiceError
from twinops.service.app import application
from twinops.service.one_write import OneWrite
from twinops.service.opened import Serving, begun, opened
from twinops.wiring import open_project
from twinops.workflows.serving.live import LiveGround

TOLD = "TWINOPS_SERVE"
"""Root and manner, for processes that are started anew."""
GRACE_S = 20


@dataclass(frozen=True)
class Address:
    """Where to listen, and how many processes answer."""

    host: str = "127.0.0.1"
    port: int = 8600
    workers: int = 1


def run(root: Path, serving: Serving, address: Address) -> None:
    """Serve until a signal comes; what was accepted is written before the end."""
    if address.workers > 1:  # a process that cannot begin would be started again and again
        begun(open_project(root).places, serving)
    told = {"root": str(root), "serving": asdict(serving), "address": asdict(address)}
    os.environ[TOLD] = json.dumps(told)
    listen(f"{__name__}:made", address)


def listen(factory: str, address: Address) -> None:
    """Answer with what `factory` (module:function) makes in each process; they share one socket.

    Raises:
        ServiceError: the port is taken, or the application did not begin.
    """
    how: dict[str, Any] = {
        "factory": True, "host": address.host, "port": address.port, "access_log": False, "log_level": "warning",
        "server_header": False, "timeout_graceful_shutdown": GRACE_S, "workers": address.workers, "http": OneWrite,
        "ws": "none",
    }  # fmt: skip
    if address.workers > 1:
        uvicorn.run(factory, **how)
        return
    config = uvicorn.Config(factory, **how)
    server = uvicorn.Server(config)
    # the port is ours before the application is made: it says that it answers as soon as it does
    with closing(_taken(config)) as port, suppress(KeyboardInterrupt):
        server.run(sockets=[port])
    if not server.started:
        raise ServiceError("The service did not begin.", hint="What it said stands above.")


def _taken(config: uvicorn.Config) -> socket:
    try:
        return config.bind_socket()
    except SystemExit:  # uvicorn has said why, and would end without a word of ours
        what = f"Port {config.port} of {config.host} cannot be listened on."
        raise ServiceError(what, hint="Take another --port, or end what has it.") from None


def made() -> FastAPI:
    """The application of the project that was told, in this process."""
    told = json.loads(os.environ[TOLD])

    def ground() -> LiveGround:
        found: LiveGround = open_project(told["root"]).run("serving.live_ground")
        return found

    handed_on = _traced()
    service = opened(ground, Serving(**told["serving"]))
    settle()
    return application(service, ready=partial(_say, Address(**told["address"])), over=handed_on)


def settle() -> None:
    """What is in memory now stays; to look it through for circles again and again would stop all answers meanwhile."""
    gc.collect()
    gc.freeze()


def _traced() -> Callable[[], None]:
    """Spans go to whom the environment names; what hands on the last of them. Unnamed, nothing of that is loaded."""
    if any(name.startswith("OTEL_EXPORTER_OTLP") for name in os.environ):
        from opentelemetry import trace

        from twinops.service import traces

        if (provider := traces.configured()) is not None:
            trace.set_tracer_provider(provider)
            return provider.shutdown
    return lambda: None


def _say(address: Address) -> None:
    who = f"Process {os.getpid()} answers" if address.workers > 1 else "Answers"
    where = f"http://{address.host}:{address.port}/v1/"
    sys.stderr.write(f"{who} on {where}; how it is asked is in /openapi.json.\n")
    sys.stderr.flush()
