"""Who is calling is decided before a body is read, and whoever guesses passwords waits longer each time.

An account that is attacked from elsewhere stays open from where its owner logged in before: nobody locks an officer
out. Waits are kept in memory, per process, under keyed digests; a restart forgets them.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from mlflow.exceptions import MlflowException

from twinops.server.refusals import RequestError

FREE = {"pair": 5, "account": 20, "address": 20}
"""Wrong passwords without a wait: by one address for one account, for one account, by one address."""
LONGEST = {"pair": 60, "account": 30, "address": 60}
"""Seconds."""
FORGET_SECONDS = 900
AT_MOST = 10_000
"""Entries of a table; the oldest goes. To push one out costs that many guesses."""
CHECKS, QUEUE = 2, 64
"""Passwords that are checked at a time, at some 50 ms of a core each, and that may wait for it."""
_log = logging.getLogger("twinops.logins")
Key = tuple[str, bytes]


@dataclass
class Wrong:
    """Wrong passwords in a row, and until when none is looked at."""

    times: int = 0
    until: float = 0.0
    last: float = 0.0


class Guesses:
    """How long who waits. Pure but for its tables: the caller passes the time, in seconds."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[Key, Wrong] = OrderedDict()
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._secret = secrets.token_bytes(32)

    def wait(self, account: str, address: str, *, now: float) -> float:
        """Seconds until this address may try this account again; 0: now."""
        keys = self._keys(account, address)
        counted = keys[:1] if keys[0][1] in self._known else keys
        return max(0.0, *(self._wrong[k].until - now for k in counted if k in self._wrong), 0.0)

    def begin(self, account: str, address: str, *, now: float) -> int:
        """Count a try as wrong until it is known to be right, or many at once would count as one."""
        keys = self._keys(account, address)
        for key in keys:
            held = self._wrong.get(key)
            if held is None or now - held.last > FORGET_SECONDS:
                held = self._wrong[key] = Wrong()
            held.times, held.last = held.times + 1, now
            held.until = now + _pause(key[0], held.times)
            self._wrong.move_to_end(key)
        _bound(self._wrong)
        return self._wrong[keys[1]].times

    def right(self, account: str, address: str) -> None:
        """It was right: this address is known for this account from now on."""
        pair, *both = self._keys(account, address)
        self._wrong.pop(pair, None)
        for key in both:
            if key in self._wrong:
                self._wrong[key].times -= 1  # what others did wrong stays
                self._wrong[key].until = 0.0 if _pause(key[0], self._wrong[key].times) == 0 else self._wrong[key].until
        self._known[pair[1]] = None
        _bound(self._known)

    def _keys(self, account: str, address: str) -> tuple[Key, Key, Key]:
        pair = self._digest(f"{account}\0{address}")
        return ("pair", pair), ("account", self._digest(account)), ("address", self._digest(address))

    def _digest(self, text: str) -> bytes:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).digest()


def _pause(kind: str, times: int) -> float:
    """Twice as long each time, up to a bound.

    >>> [_pause("pair", n) for n in (5, 6, 7, 11, 12, 1000)]
    [0.0, 1.0, 2.0, 32.0, 60, 60]
    """
    beyond = times - FREE[kind]
    return 0.0 if beyond <= 0 else min(2.0 ** min(beyond - 1, 20), LONGEST[kind])


def _bound(table: OrderedDict[Any, Any]) -> None:
    while len(table) > AT_MOST:
        table.popitem(last=False)


Tell = Callable[[str, int], None]


class Logins:
    """MLflow's accounts and passwords, with waits. `tell` keeps in the audit log that an account is being guessed."""

    def __init__(self, tell: Tell) -> None:
        from mlflow.server import auth
        from werkzeug.security import generate_password_hash

        self._auth = auth
        self._check = auth._authenticate_cached
        self._nobody = generate_password_hash(secrets.token_hex())
        self._tell = tell
        self._guesses = Guesses()
        self._running: dict[bytes, Awaitable[bool]] = {}
        self._few = anyio.CapacityLimiter(CHECKS)

    def open_to_all(self, path: str) -> bool:
        """MLflow's own list of what needs no login."""
        return bool(self._auth.is_unprotected_route(path))

    async def admit(self, headers: list[tuple[bytes, bytes]], address: str) -> None:
        """Let pass whoever gives the right password; MLflow asks again and finds the answer in its cache.

        Raises:
            RequestError: no or a wrong password (401), or it is too early to try again (429).
        """
        account, password = basic([value for name, value in headers if name == b"authorization"])
        this = hashlib.sha256(f"{address}\0{account}\0{password}".encode()).digest()
        if this not in self._running:
            self._against_haste(account, address)
            self._running[this] = asyncio.ensure_future(self._checked(account, password, address))
            self._running[this].add_done_callback(lambda _: self._running.pop(this, None))  # type: ignore[attr-defined]
        if not await asyncio.shield(self._running[this]):
            raise _unknown()

    def _against_haste(self, account: str, address: str) -> None:
        left = self._guesses.wait(account, address, now=time.monotonic())
        if left > 0:
            raise RequestError(429, "too many wrong passwords; try again later.", retry_after=str(int(left) + 1))
        if len(self._running) > QUEUE:
            raise RequestError(429, "too many logins at a time; try again.", retry_after="1")

    async def _checked(self, account: str, password: str, address: str) -> bool:
        times = self._guesses.begin(account, address, now=time.monotonic())
        right = await anyio.to_thread.run_sync(partial(self._matches, account, password, times), limiter=self._few)
        if right:
            self._guesses.right(account, address)
        return right

    def _matches(self, account: str, password: str, times: int) -> bool:
        """As long for a name that nobody has as for one that somebody has."""
        if self._check(account, password) is not None:
            return True
        held = self._exists(account)
        if not held:
            from werkzeug.security import check_password_hash

            check_password_hash(self._nobody, password)
        _log.warning("A login failed: %s account, wrong %d times in a row.", "a known" if held else "no such", times)
        rounds, left = divmod(times, FREE["pair"])
        if held and not left and rounds & (rounds - 1) == 0:  # 5, 10, 20, 40: the log grows slower than the guesses
            self._tell(account, times)
        return False

    def _exists(self, account: str) -> bool:
        try:
            return self._auth.store.get_user(account) is not None
        except MlflowException:
            return False


def basic(given: list[bytes]) -> tuple[str, str]:
    """Account and password of the one Authorization header (RFC 7617).

    Raises:
        RequestError: there is none, or it is none of these.
    """
    try:
        (header,) = given
        scheme, _, told = header.partition(b" ")
        account, colon, password = base64.b64decode(told.strip(), validate=True).decode("utf-8").partition(":")
    except (ValueError, binascii.Error):
        raise _unknown() from None
    if scheme.lower() != b"basic" or not (colon and account) or "\0" in account + password or len(header) > 2048:
        raise _unknown()
    return account, password


def _unknown() -> RequestError:
    sentence = "log in with an account of this server and its password."
    return RequestError(401, sentence, www_authenticate='Basic realm="mlflow"')
