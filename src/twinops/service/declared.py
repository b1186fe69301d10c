"""Read `compliance/clients.yaml`: which systems may ask with tokens of which OpenID Connect issuer, and what for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from twinops.errors import ParamsError
from twinops.governance.reading import Record, Text, checked, parse
from twinops.service.clients import ACTS
from twinops.workflows.twin.open import SERVES

NAME = "clients.yaml"
HERE = ("127.0.0.1", "::1", "localhost")
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by a key of which we know the public half alone; `none` and shared secrets are not among them."""


def at_home_or_sealed(address: str) -> str:
    """An address that nobody between can answer for: https, or this machine.

    Raises:
        ValueError: it is another.
    """
    parts = urlsplit(address)
    plain = parts.scheme == "http" and parts.hostname in HERE
    if not (parts.scheme == "https" or plain) or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("an address begins with https:// (http:// on this machine only) and has no login or query")
    return address


def _one_of(known: tuple[str, ...]) -> AfterValidator:
    def listed(said: str) -> str:
        if said not in known:
            raise ValueError(f"one of {', '.join(known)}")
        return said

    return AfterValidator(listed)


Purpose = Annotated[str, _one_of(tuple(p.value for p in SERVES))]
Act = Annotated[str, _one_of(ACTS)]


class DeclaredClient(Record):
    """One client: every claim of `claims` must be in its token; the rest is what it may do, whatever the token says."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    claims: Annotated[dict[str, Text], Field(min_length=1, max_length=10)]
    purposes: tuple[Purpose, ...] = ()
    acts: Annotated[tuple[Act, ...], Field(min_length=1)]
    rate: Annotated[float, Field(gt=0, le=1e6, strict=False)] = 1000.0


class Narrowing(Record):
    """Claims that list purposes or acts; what a token does not name there, it may not ask for. None: no such claim."""

    purposes: Text | None = None
    acts: Text | None = None


class Issuer(Record):
    """One issuer. Its keys are asked for every `refresh_s`, and go on for `keys_last_s` when it does not answer."""

    issuer: Annotated[str, AfterValidator(at_home_or_sealed)]
    audience: Text
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = ("RS256", "ES256")
    skew_s: Annotated[int, Field(ge=0, le=300)] = 30
    refresh_s: Annotated[float, Field(ge=1, le=3600, strict=False)] = 60.0
    keys_last_s: Annotated[float, Field(ge=1, le=7 * 86_400, strict=False)] = 3600.0
    narrowed_by: Narrowing = Narrowing()
    clients: Annotated[tuple[DeclaredClient, ...], Field(min_length=1)]


class Declared(Record):
    """The whole file."""

    issuers: Annotated[tuple[Issuer, ...], Field(max_length=20)]


NOBODY = Declared(issuers=())


def read(file: Path) -> Declared:
    """What is declared; nothing where there is no file.

    Raises:
        ParamsError: with every mistake of the file.
    """
    if not file.is_file():
        return NOBODY
    try:
        raw = parse(file.read_text(encoding="utf-8"), name=file.name)
    except (OSError, UnicodeDecodeError):
        raise ParamsError(f"{file.name} cannot be read.", hint="Mend the file.") from None
    return checked(Declared, raw, name=file.name, more=_mistakes(raw))


def _mistakes(raw: Any) -> Iterator[str]:
    """Two of what must be one, and keys that would be too old before they are asked for again."""
    listed = [i for i in raw["issuers"] if isinstance(i, dict)] if _lists(raw, "issuers") else []
    clients = [c for i in listed if _lists(i, "clients") for c in i["clients"] if isinstance(c, dict)]
    for what, names in (("issuer", [i.get("issuer") for i in listed]), ("name", [c.get("name") for c in clients])):
        for name, times in Counter(n for n in names if isinstance(n, str)).items():
            if times > 1:
                yield f"{what} {name!r:.80} stands {times} times"
    for i in listed:
        every, last = i.get("refresh_s", 60), i.get("keys_last_s", 3600)
        if isinstance(every, int | float) and isinstance(last, int | float) and last < every:
            yield f"keys_last_s {last} is shorter than refresh_s {every}"


def _lists(raw: Any, key: str) -> bool:
    return isinstance(raw, dict) and isinstance(raw.get(key), tuple)
