"""The routes, and the two things that come before any of them: who is asking, and how much they send."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from time import perf_counter
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from fastapi.security import HTTPBearer
from opentelemetry import trace
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twinops.adapters.connections import KNOWN
from twinops.service import bodies
from twinops.service.answers import Service
from twinops.service.clients import Client
from twinops.service.issuers import LONGEST
from twinops.service.metrics import Metrics
from twinops.service.refusals import AskRefusedError, Problem, Refusal

JSON, PROBLEM = "application/json", "application/problem+json"
GUARDED = "/v1/"
LONGEST_PATH = 600
_PREDICT = re.compile(r"/v1/twins/([^/]+)/predict")
SWITCH_S = 0.0005
"""The thread that writes events waits at most so long for its turn beside the one that answers; Python's own: 5 ms."""
ITS_OWN_SPANS: Any = dict.fromkeys(("tracing", "metrics", "logs", "operation_spans", "auto_configure"), False)
"""The framework's own would have the path, which names a consumer, and what was sent."""
_log = logging.getLogger(__name__)
_tracer = trace.get_tracer("twinops.service")
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "content": {PROBLEM: {"schema": bodies.ProblemBody.model_json_schema()}},
        "description": HTTPStatus(status).phrase,
    }
    for status in sorted({r.status for r in Refusal} - {500, 405})
}


def _nothing() -> None:
    """What is done unless said."""


def application(
    service: Service,
    *,
    metrics: Metrics | None = None,
    ready: Callable[[], None] = _nothing,
    over: Callable[[], None] = _nothing,
) -> FastAPI:
    """The service as an ASGI application; it looks around from its start to its end.

    `ready` is called once it answers, `over` once it answered everybody.
    """
    counted = metrics or Metrics()

    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        sys.setswitchinterval(SWITCH_S)
        service.watch.start()
        ready()
        yield
        # what was accepted is on the disk; what waits is written before the last look
        await run_in_threadpool(service.writer.stop)
        await run_in_threadpool(service.watch.stop)
        await run_in_threadpool(over)

    app = FastAPI(
        title="twinops serve", version="1", lifespan=living, docs_url=None, redoc_url=None, telemetry=ITS_OWN_SPANS
    )
    app.state.service, app.state.metrics = service, counted
    _asked(app)
    _open(app)
    app.add_exception_handler(AskRefusedError, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_malformed)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_middleware(Door, service=service, metrics=counted)
    return app


def _asked(app: FastAPI) -> None:
    """What is answered to clients."""
    service: Service = app.state.service
    routes = APIRouter(dependencies=[Depends(HTTPBearer(auto_error=False))], responses=PROBLEMS)

    @routes.post("/v1/twins/{who}/predict", response_model=bodies.PredictAnswer)
    async def predict(request: Request, who: str, ask: bodies.Ask) -> Response:
        """Chance to shop, baskets and spend of the horizon, with their ranges."""
        return Response(await _predicted(service, _client(request), _named(who), ask), media_type=JSON)

    @routes.post("/v1/twins/{who}/explain", response_model=bodies.ExplainAnswer)
    async def explain(request: Request, who: str, ask: bodies.Ask) -> Response:
        """The forecast, what multiplies it, and what would change it."""
        found = await run_in_threadpool(service.explain, _client(request), _named(who), ask)
        return Response(found, media_type=JSON)

    @routes.post("/v1/twins/{who}/simulate", response_model=bodies.SimulateAnswer)
    async def simulate(request: Request, who: str, ask: bodies.SimulateAsk) -> Response:
        """What would come if: response, not uplift."""
        found = await run_in_threadpool(service.simulate, _client(request), _named(who), ask)
        return Response(found, media_type=JSON)

    @routes.post("/v1/score", response_model=bodies.ScoreAnswer)
    async def score(request: Request, ask: bodies.ScoreAsk) -> Response:
        """Forecasts of many, each by its own permissions."""
        return Response(await run_in_threadpool(service.score, _client(request), ask), media_type=JSON)

    @routes.post("/v1/events", response_model=bodies.EventsAnswer, status_code=202)
    async def events(request: Request, ask: bodies.EventsAsk) -> Response:
        """Purchases, consents, withdrawals and objections: on the disk before they are answered."""
        found = await service.events(_client(request), ask)
        return Response(json.dumps(found), status_code=202, media_type=JSON)

    app.include_router(routes)


def _open(app: FastAPI) -> None:
    """What is answered to whoever reaches the port: nothing about anybody."""
    service: Service = app.state.service

    @app.get("/healthz", responses={503: {"description": "It does not answer questions now.", "content": {JSON: {}}}})
    async def healthz() -> Response:
        """Whether questions are answered now, and by which version."""
        live, fresh = service.production.live, service.watch.fresh
        told = {"ok": live is not None and fresh, "version": live.version if live else None,
                "why": "" if live else service.production.why, "held_up": service.watch.held_up}  # fmt: skip
        return Response(json.dumps(told), status_code=200 if told["ok"] else 503, media_type=JSON)

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Counts and times for Prometheus."""
        app.state.metrics.standing(service)
        return Response(generate_latest(app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)


class Door:
    """Before anything is parsed: sizes, and the token of whoever asks below `/v1/`."""

    def __init__(self, app: ASGIApp, *, service: Service, metrics: Metrics) -> None:
        self.app, self.service, self.metrics = app, service, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, act, seen = perf_counter(), _act(scope["path"]), [500]

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen[0] = message["status"]
            await send(message)

        # an error's message may quote what was sent: the span has the status alone
        named = f"twinops {act}"
        with _tracer.start_as_current_span(named, record_exception=False, set_status_on_exception=False) as span:
            try:
                await self._answered(act, scope, receive, watched)
            finally:
                span.set_attribute("http.response.status_code", seen[0])
                self.metrics.answered(act, seen[0], perf_counter() - begun)

    async def _answered(self, act: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in and answered, or the refusal."""
        client: Client | None = None
        try:
            if len(scope["raw_path"]) > LONGEST_PATH:
                raise AskRefusedError(Refusal.TOO_LARGE)
            if scope["path"].startswith(GUARDED):
                client = await self._known(scope)
                scope[KNOWN] = True
            scope.setdefault("state", {})["client"] = client
            left = await self._at_once(scope, _bounded(receive), send)
            if left is not None:
                await self.app(scope, left, send)
        except AskRefusedError as problem:
            self.service.refused(client, act, problem)
            self.metrics.refused(act, problem.problem.refusal.code)
            await _problem(problem.problem)(scope, receive, send)
        except Exception as problem:
            # its message may quote what was sent: the kind alone is kept
            _log.error("%s ended with %s.", act, type(problem).__name__)
            await _problem(Problem(Refusal.UNEXPECTED, Refusal.UNEXPECTED.title))(scope, receive, send)

    async def _at_once(self, scope: Scope, receive: Receive, send: Send) -> Receive | None:
        """Answer the commonest question without the framework's way in, which takes twice as long as the answer.

        Whatever is not plainly that question is left as it came, to whoever reads what is answered here.
        """
        asked, kinds = _PREDICT.fullmatch(scope["path"]), [v for k, v in scope["headers"] if k == b"content-type"]
        if asked is None or scope["method"] != "POST" or kinds != [JSON.encode()]:
            return receive
        message = await receive()
        left = _after(message, receive)
        if message["type"] != "http.request" or message.get("more_body"):
            return left
        try:
            ask = bodies.Ask.model_validate_json(message["body"])
        except ValidationError:  # the framework says where it is wrong
            return left
        found = await _predicted(self.service, scope["state"]["client"], _named(asked[1]), ask)
        await Response(found, media_type=JSON)(scope, left, send)
        return None

    async def _known(self, scope: Scope) -> Client:
        given = [v for k, v in scope["headers"] if k == b"authorization"]
        text = given[0].decode("latin-1") if len(given) == 1 and len(given[0]) <= LONGEST + 7 else None
        return await self.service.guards.asking(text)


async def _predicted(service: Service, client: Client, who: str, ask: bodies.Ask) -> str:
    """At once, where nothing is asked of the key store: while somebody writes there, nobody else's answer waits."""
    if who in service.twins.names:
        return service.predict(client, who, ask)
    return await run_in_threadpool(service.predict, client, who, ask)


def _bounded(receive: Receive) -> Callable[[], Awaitable[Message]]:
    """The body, as long as it is no longer than it may be, and takes no longer."""
    left, until, whole = bodies.MOST_BYTES, asyncio.get_running_loop().time() + bodies.MOST_S, False

    async def read() -> Message:
        nonlocal left, whole
        if whole:  # then it is asked whether the client is still there
            return await receive()
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise AskRefusedError(Refusal.TOO_SLOW) from None
        left -= len(message.get("body", b""))
        if left < 0:
            raise AskRefusedError(Refusal.TOO_LARGE)
        whole = not message.get("more_body", False)
        return message

    return read


def _after(first: Message, receive: Receive) -> Receive:
    """What is received, from a message on that was taken out already."""
    taken = [first]

    async def read() -> Message:
        return taken.pop() if taken else await receive()

    return read


def _act(path: str) -> str:
    """What is asked for, without whom: few words, for logs and metrics."""
    last = path.rpartition("/")[2]
    return last if last in ("predict", "simulate", "explain", "score", "events", "healthz", "metrics") else "other"


def _client(request: Request) -> Client:
    client: Client = request.scope["state"]["client"]
    return client


def _named(who: str) -> str:
    if len(who) > bodies.LONGEST_ID:
        raise AskRefusedError(Refusal.UNKNOWN_CONSUMER)
    return who


def _problem(problem: Problem) -> Response:
    headers = {} if problem.retry_s is None else {"Retry-After": str(problem.retry_s)}
    if problem.refusal is Refusal.TOO_SLOW:
        headers["Connection"] = "close"
    if problem.refusal is Refusal.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    body = json.dumps(problem.body())
    return Response(body, status_code=problem.refusal.status, media_type=PROBLEM, headers=headers)


async def _on_refusal(request: Request, found: Exception) -> Response:
    assert isinstance(found, AskRefusedError)  # noqa: S101  # what it is registered for
    request.app.state.service.refused(_client(request), _act(request.url.path), found)
    request.app.state.metrics.refused(_act(request.url.path), found.problem.refusal.code)
    return _problem(found.problem)


async def _on_malformed(_request: Request, found: Exception) -> Response:
    """Where it is wrong and how, never what was sent."""
    assert isinstance(found, RequestValidationError)  # noqa: S101
    told = [f"{'.'.join(map(_place, e['loc'][1:]))}: {_wrong(e)}" for e in found.errors()[:5]]
    return _problem(Problem(Refusal.MALFORMED, "; ".join(told)[:500] or Refusal.MALFORMED.title))


def _wrong(error: Mapping[str, Any]) -> str:
    """What is wrong: our own sentence, which quotes nothing that was sent, or the kind of mistake."""
    return str(error["ctx"]["error"]) if error["type"] == "value_error" else str(error["type"])


def _place(part: int | str) -> str:
    """A place in the body; a name that we did not give is not repeated."""
    return str(part) if isinstance(part, int) or part in _NAMES else "(unknown)"


_NAMES = {name for kind in vars(bodies).values() for name in getattr(kind, "model_fields", ())}


async def _on_http(request: Request, found: Exception) -> Response:
    assert isinstance(found, HTTPException)  # noqa: S101
    if isinstance(found.__cause__, AskRefusedError):  # FastAPI wraps whatever ends the reading of a body
        return await _on_refusal(request, found.__cause__)
    refusals = {404: Refusal.NOT_FOUND, 405: Refusal.NO_SUCH_METHOD, 413: Refusal.TOO_LARGE}
    refusal = refusals.get(found.status_code, Refusal.MALFORMED)
    answer = _problem(Problem(refusal, refusal.title))
    answer.headers.update({name: value for name, value in (found.headers or {}).items() if name == "Allow"})
    return answer
