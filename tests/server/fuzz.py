"""Requests that make no sense, for every route that the app lists: made from a seed, so that each can be made again."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from google.protobuf.descriptor import FieldDescriptor
from live import Answer, Live

LISTING = """
import json
from twinops.adapters.quiet import be_quiet
be_quiet()
from twinops.server.app import serve
from twinops.server.registry.home import Home
serve.configure(Home.here())
serve.prepare(Home.here(), serve.Starting())
from twinops.server.app import app
made = app.create_app()
from mlflow.server import app as flask
native = [(r.path, sorted(r.methods)) for r in made.routes if getattr(r, "methods", None)]
rules = [(r.rule, sorted(r.methods)) for r in flask.url_map.iter_rules()]
def fields(message, depth=0):
    return {f.name: [f.type, f.is_repeated, f.message_type and depth < 2 and fields(f.message_type, depth + 1) or None]
            for f in message.fields}
from mlflow.server import handlers
from mlflow.utils.rest_utils import extract_all_api_info_for_service
shapes = {}
for service in (handlers.MlflowService, handlers.ModelRegistryService, handlers.MlflowArtifactsService,
                handlers.WebhookService):
    for request, ways in extract_all_api_info_for_service(service, "").items():
        for path, method in ways:
            shapes[method + " " + path.rstrip("/").split("/mlflow/")[-1]] = fields(request.DESCRIPTOR)
listed = sorted({(p, m) for p, methods in native + rules for m in methods})
print("ROUTES" + json.dumps([listed, shapes]))
"""
NAMES = (
    "name", "version", "alias", "tag", "key", "value", "run_id", "run_uuid", "experiment_id", "path", "max_results",
    "page_token", "filter", "filter_string", "order_by", "reason", "digest", "gate", "days", "act", "etag", "kind",
    "text", "from", "query", "variables", "operationName", "source", "username", "password", "is_admin", "role_id",
    "user_id", "metrics", "params", "tags", "step", "stage", "status", "new_name", "trace_id", "request_id", "files",
    "commit", "dirty", "authors", "model_sha256", "forced", "base", "lock_matches", "scorers", "dataset_id",
)  # fmt: skip
TEXTS = (
    "", " ", "twin", "production", "0", "1", "-1", "3.0", "٣", "1e3", "9" * 30, "NaN", "a\u202eb", "..",
    "../../etc/passwd", "file:///etc", "%2e%2e%2f", "mlflow-artifacts:/x", "s3://x/y", "http://127.0.0.1:1/x", "'",
    "file://host/x",
    "\"; DROP TABLE x", "a = 'b' AND", "metrics.x > 1", "*", "{}", "[]", "null", "x" * 5_000,
    "\U0001f600", "e\u0301" * 50,
    "models:/twin/1", "runs:/x/y", "default", "true", "[" * 90, "query { " * 60,
)  # fmt: skip
NUMBERS = (0, 1, 2, -1, 3.0, 1e308, 2**31, 2**53, 2**63 - 1, -(2**63), 0.1)
WRONG = (*TEXTS, *NUMBERS, None, True, [], {}, [[]], {"a": [{}]})
OUT = (2**63, -(2**63) - 1, 10**40, "x\0y", "\ud800", float("nan"), float("-inf"))
"""What the door itself refuses: seldom, or little else would be tried."""
RAW = (
    b"", b"{", b"null", b"[]", b'"x"', b"[" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b'{"name": NaN}',
    b"\xff\xfe{}",
    b'{"name": "\\ud800"}', b'{"name": "\\u0000"}', b'{"version": 1e999}', b'{"version": Infinity}', b"\x1f\x8b\x08\0",
    b"\0" * 64,
    b'{"name": "a", "name": "b"}', b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n", b"a=b&a=%ff&%00=1",
)  # fmt: skip
TYPES = (
    "application/json", "application/x-protobuf", "multipart/form-data; boundary=x", "multipart/form-data",
    "application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-16", "\xff",
)  # fmt: skip
LOGINS = ("Bearer x", "Basic", "Basic !!!", "Basic eA==", "Basic " + "A" * 3000, "Digest username=x", "", "basic \xff")
ODD = ("TRACE", "PROPFIND", "LOCK", "PATCH", "DELETE", "PUT", "POST", "OPTIONS")


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    body: bytes | None
    headers: dict[str, str] = field(default_factory=dict)
    who: str | None = None

    def sent(self, live: Live) -> Answer:
        """The answer to it."""
        return live.call(self.method, self.path, self.body, who=self.who, **self.headers)


Fields = dict[str, Any]
"""Name to type, whether repeated, and the fields of a message, as protobuf describes them."""


@dataclass(frozen=True)
class Listed:
    """Everything that the app of a server lists, MLflow's own and ours, and what MLflow's requests hold."""

    routes: list[tuple[str, str]]
    shapes: dict[str, Fields]

    def shape(self, path: str, method: str) -> Fields:
        """The fields of a route's request; a few names when nobody says which."""
        known = self.shapes.get(f"{method} {path.rstrip('/').split('/mlflow/')[-1]}")
        return known or {name: [9, False, None] for name in NAMES}


def listed(live: Live, scratch: Path) -> Listed:
    """What the app of such a server lists."""
    told = live.environment(TWINOPS_HOME=str(scratch))
    command = [sys.executable, "-W", "ignore", "-c", LISTING]
    done = subprocess.run(command, env=told, capture_output=True, text=True, timeout=300, check=True)
    routes, shapes = json.loads(done.stdout.rpartition("ROUTES")[2])
    return Listed([(path, method) for path, method in routes], shapes)


class Fuzz:
    """Requests from a seed; `real` are names of things that exist, which lead further in."""

    def __init__(self, what: Listed, seed: int, real: dict[str, str]) -> None:
        self.what, self.made, self.real = what, random.Random(seed), real

    def requests(self, each: int) -> Iterator[Asked]:
        """`each` per route and method; every tenth with a method, login or address that fits nothing."""
        for path, method in self.what.routes * each:
            if path.endswith(("users/delete", "users/update-password")):
                continue  # the play's own accounts stay
            yield self._one(path, method)
            if self.made.random() < 0.1:
                login = {"Authorization": self.made.choice(LOGINS)}
                yield Asked(self.made.choice(ODD), self._path(path) + "?", self.made.choice(RAW), login)

    def _one(self, path: str, method: str) -> Asked:
        who = self.made.choice(("scientist", "scientist", "risk-officer", "risk-officer", "admin", None))
        told = self._message(self.what.shape(path, method))
        if method in ("GET", "HEAD", "OPTIONS"):
            return Asked(method, self._path(path) + "?" + self._query(told), None, {}, who)
        if self.made.random() < 0.1:
            raw = {"Content-Type": self.made.choice(TYPES), "X-Mlflow-Experiment-Id": "0"}
            return Asked(method, self._path(path), self.made.choice(RAW), raw, who)
        body = json.dumps(told).encode("utf-8", "surrogatepass")
        return Asked(method, self._path(path), body, {"Content-Type": "application/json"}, who)

    def _path(self, path: str) -> str:
        def filled(_: Any) -> str:
            text = self.made.choice((*TEXTS, *self.real.values()))
            return quote(text.encode("utf-8", "surrogatepass"), safe="/" if self.made.random() < 0.5 else "")

        return re.sub(r"<[^>]*>|\{[^}]*\}", filled, path)

    def _query(self, told: dict[str, Any]) -> str:
        flat = [(n, v) for n, held in told.items() for v in (held if isinstance(held, list) else [held])]
        words = [f"{quote(n)}={quote((v if isinstance(v, str) else json.dumps(v)).encode('utf-8', 'surrogatepass'))}"
                 for n, v in flat]  # fmt: skip
        if self.made.random() < 0.1:
            words.append(self.made.choice(("%ff=1", "x=%00", "a=" + "x" * 9_000, "=", "&&")))
        return "&".join(words)

    def _message(self, fields: Fields) -> dict[str, Any]:
        """Most fields as they should be, so that the others get further than the parser."""
        some = self.made.sample(sorted(fields), self.made.randrange(min(1, len(fields)), len(fields) + 1))
        return {name: self._field(name, *fields[name]) for name in some[:12]}

    def _field(self, name: str, kind: int, repeated: bool, inner: Fields | None) -> Any:
        if self.made.random() < 0.1:
            return self.made.choice(OUT if self.made.random() < 0.1 else WRONG)
        if repeated and self.made.random() < 0.9:
            return [self._field(name, kind, False, inner) for _ in range(self.made.randrange(3))]
        return self._message(inner) if inner else self._plain(name, kind)

    def _plain(self, name: str, kind: int) -> Any:
        if kind == FieldDescriptor.TYPE_BOOL:
            return self.made.choice((True, False))
        if kind not in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_ENUM):
            return self.made.choice(NUMBERS)
        return self.real[name] if name in self.real and self.made.random() < 0.7 else self.made.choice(TEXTS)
