"""Whose token it is that an OpenID Connect issuer signed: a client that was declared, never more than was declared.

Nothing of a token is logged or repeated: neither its bytes nor what a library says of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import jwt
from starlette.concurrency import run_in_threadpool

from twinops.errors import ParamsError, ServiceError
from twinops.service import declared
from twinops.service.clients import Client
from twinops.service.declared import DeclaredClient, Issuer
from twinops.service.keys_heard import Key, KeysHeard
from twinops.service.refusals import AskRefusedError, Refusal

LONGEST = 8_192
"""Characters of a token."""
MOST_FETCH_S = 7.0
"""Seconds that a question waits for an issuer to be asked about a key that nobody knew."""
NEEDED = ["exp", "iss", "aud"]
_log = logging.getLogger(__name__)


@dataclass
class Issuers:
    """The issuers of one file, which is read again when it changed, and the keys that were heard of each."""

    file: Path
    known: tuple[Issuer, ...] = ()
    heard: dict[str, KeysHeard] = field(default_factory=dict, repr=False)
    _asking: asyncio.Task[None] | None = field(default=None, repr=False)
    _said: str = field(default="", repr=False)
    _text: tuple[int, int, int] | None = field(default=None, repr=False)

    def follow(self) -> None:
        """Read the file again if it is another: whoever was taken out is out, and of a wrong file nobody is in.

        Raises:
            ParamsError: with every mistake of the file.
        """
        try:
            found = self.file.stat()
            stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        except OSError:
            stamp = (0, 0, 0)
        if stamp == self._text:
            return
        self._text, now = stamp, declared.NOBODY.issuers
        try:
            now = declared.read(self.file).issuers
        finally:
            self.heard = {i.issuer: self.heard.get(i.issuer, KeysHeard()) for i in now}
            self.known = now

    def look(self) -> None:
        """Ask those for their keys whose turn it is."""
        for issuer in self.known:
            heard = self.heard.get(issuer.issuer)
            if heard is not None and heard.due(issuer):
                self._ask(issuer, heard)

    async def client(self, token: str) -> Client:
        """Whose token it is.

        Raises:
            AskRefusedError: nobody's, no longer or not yet, or nobody knows because its issuer is silent.
        """
        if not self.known or len(token) > LONGEST:
            raise AskRefusedError(Refusal.UNAUTHENTICATED)
        kid, alg = _header(token)
        found = self._keys(kid)
        if not found:
            await self._asked()
            found = self._keys(kid)
        if not found and not all(self.heard[i.issuer].lasting(i) for i in self.known if i.issuer in self.heard):
            raise AskRefusedError(Refusal.ISSUER_SILENT, retry_s=5)
        problem = AskRefusedError(Refusal.UNAUTHENTICATED)
        for issuer, (key, only) in found:
            if alg in issuer.algorithms and only in (None, alg):
                try:
                    return _client(issuer, _claims(token, issuer, key, alg))
                except AskRefusedError as said:
                    problem = said
        raise problem

    def _keys(self, kid: str) -> list[tuple[Issuer, Key]]:
        """Issuers that may be gone by, and have a key of this id."""
        heard = ((issuer, self.heard.get(issuer.issuer)) for issuer in self.known)
        return [(i, h.keys[kid]) for i, h in heard if h is not None and h.lasting(i) and kid in h.keys]

    async def _asked(self) -> None:
        """Ask all that were not asked lately; however many wait, it is done once."""
        if self._asking is None:
            due = [(i, h) for i in self.known if (h := self.heard.get(i.issuer)) is not None and not h.bounded()]
            if not due:
                return
            self._asking = asyncio.create_task(run_in_threadpool(self._ask_all, due))
            self._asking.add_done_callback(self._done)
        try:
            await asyncio.wait_for(asyncio.shield(self._asking), MOST_FETCH_S)
        except TimeoutError:
            return

    def _done(self, _: asyncio.Task[None]) -> None:
        self._asking = None

    def _ask_all(self, due: list[tuple[Issuer, KeysHeard]]) -> None:
        for issuer, heard in due:
            self._ask(issuer, heard)

    def _ask(self, issuer: Issuer, heard: KeysHeard) -> None:
        try:
            heard.ask(issuer)
            self._said = ""
        except ServiceError as problem:
            if problem.what != self._said:  # once, not every few seconds
                _log.warning("%s", problem.what)
            self._said = problem.what


def began(file: Path, taken: Mapping[str, Client]) -> Issuers:
    """The issuers that are declared, asked once; one that does not answer is asked again.

    Raises:
        ParamsError: with every mistake of the file, or a name that a client with a token of ours has.
    """
    found = Issuers(file)
    found.follow()
    twice = sorted({c.name for i in found.known for c in i.clients} & taken.keys())
    if twice:
        raise ParamsError(f"{', '.join(twice)} is also a client with a token of ours.", hint="Name one of them anew.")
    found.look()
    return found


def _header(token: str) -> tuple[str, str]:
    """Which key it says that it was signed with, and how: both are looked up, neither is believed."""
    try:
        header = jwt.get_unverified_header(token)
        kid, alg = header.get("kid"), header.get("alg")
    except Exception:  # whatever a parser says to bytes that are no token
        _nobody()
    if not isinstance(kid, str) or not isinstance(alg, str):
        _nobody()
    return kid, alg


def _claims(token: str, issuer: Issuer, key: Any, alg: str) -> dict[str, Any]:
    """What the token says, once its signature, issuer, audience and times are right."""
    try:
        return jwt.decode(token, key=key, algorithms=[alg], issuer=issuer.issuer, audience=issuer.audience,
                          leeway=issuer.skew_s, options={"require": NEEDED})  # fmt: skip
    except jwt.ExpiredSignatureError:
        _nobody("The token has ended.")
    except jwt.ImmatureSignatureError:
        _nobody("The token is not valid yet.")
    except (jwt.InvalidAudienceError, jwt.InvalidIssuerError, jwt.MissingRequiredClaimError):
        _nobody("The token is not for this service, or does not say until when.")
    except Exception:  # whatever a parser says to bytes that are no token
        _nobody()


def _client(issuer: Issuer, claims: Mapping[str, Any]) -> Client:
    """The one client that was declared for these claims, narrowed by what the token lists."""
    fitting = [c for c in issuer.clients if all(_says(claims.get(n), v) for n, v in c.claims.items())]
    if len(fitting) != 1:
        raise AskRefusedError(Refusal.NOT_YOURS, "No client is declared for this token, or more than one.")
    return _narrowed(fitting[0], issuer, claims)


def _narrowed(client: DeclaredClient, issuer: Issuer, claims: Mapping[str, Any]) -> Client:
    by = issuer.narrowed_by
    purposes, acts = (
        frozenset(may) if claim is None else frozenset(may) & frozenset(_listed(claims.get(claim)))
        for may, claim in ((client.purposes, by.purposes), (client.acts, by.acts))
    )
    return Client(client.name, purposes, acts, client.rate, "")


def _says(claim: Any, wanted: str) -> bool:
    """Whether a claim is this text, or lists it."""
    return claim == wanted or (isinstance(claim, list) and wanted in claim)


def _listed(claim: Any) -> list[str]:
    """Words of a claim such as `scope`, or members of a list."""
    if isinstance(claim, str):
        return claim.split(" ")
    return [one for one in claim if isinstance(one, str)] if isinstance(claim, list) else []


def _nobody(why: str = "") -> NoReturn:
    raise AskRefusedError(Refusal.UNAUTHENTICATED, why) from None
