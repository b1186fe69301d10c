"""Start the service: one process, or several that share the files of the project."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from twinops.service.app import application
from twinops.service.opened import Serving, opened
from twinops.wiring import open_project

TOLD = "TWINOPS_SERVE"
"""Root and manner, for processes that are started anew."""
GRACE_S = 20


@dataclass(frozen=True)
class Address:
    """Where to listen, and how many processes answer."""

    host: str = "127.0.0.1"
    port: int = 8600
    workers: int = 1


def run(root: Path, serving: Serving, address: Address, *, tell: Callable[[str], None]) -> None:
    """Serve until a signal comes; what was accepted is written before the end."""
    os.environ[TOLD] = json.dumps({"root": str(root), "serving": asdict(serving)})
    tell(f"Answers on http://{address.host}:{address.port}/v1/; how it is asked is in /openapi.json.")
    listen(f"{__name__}:made", address)


def listen(factory: str, address: Address) -> None:
    """Answer with what `factory` (module:function) makes in each process; they share one socket."""
    uvicorn.run(
        factory, factory=True, host=address.host, port=address.port, access_log=False, log_level="warning",
        server_header=False, timeout_graceful_shutdown=GRACE_S, workers=address.workers,
    )  # fmt: skip


def made() -> FastAPI:
    """The application of the project that was told, in this process."""
    told = json.loads(os.environ[TOLD])
    project = open_project(told["root"])
    return application(opened(project.run("serving.live_ground"), Serving(**told["serving"])))
