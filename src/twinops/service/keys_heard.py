"""The public keys of one OpenID Connect issuer: found by discovery, bounded in size and time, and with an age."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from twinops.entities.canonical import from_json
from twinops.errors import ServiceError
from twinops.service.declared import Issuer, at_home_or_sealed

DISCOVERY = "/.well-known/openid-configuration"
MOST_BYTES = 256 * 1024
MOST_KEYS = 50
FEWEST_BITS, MOST_BITS = 2048, 8192
TIME_OUT_S = 3.0
RETRY_S = 5.0
"""Seconds after which an issuer is asked again that did not answer, or that knew nothing of a key."""
Key = tuple[Any, str | None]
"""A public key, and the one algorithm that it is for, where its issuer says so."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """An issuer is asked where it was declared to be."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Nowhere else."""


_opener = urllib.request.build_opener(_Stay)


@dataclass
class KeysHeard:
    """What was heard of one issuer, and when; one thread at a time asks."""

    keys: Mapping[str, Key] = field(default_factory=dict)
    heard_at: float = float("-inf")
    asked_at: float = float("-inf")

    def lasting(self, issuer: Issuer) -> bool:
        """Whether the keys are young enough to go by."""
        return time.monotonic() - self.heard_at <= issuer.keys_last_s

    def due(self, issuer: Issuer) -> bool:
        """Whether it is time to ask again."""
        since = time.monotonic() - self.asked_at
        return since >= (RETRY_S if self.asked_at > self.heard_at else issuer.refresh_s)

    def bounded(self) -> bool:
        """Whether it was asked so lately that an unknown key is no reason to ask."""
        return time.monotonic() - self.asked_at < RETRY_S

    def ask(self, issuer: Issuer) -> None:
        """Ask for the keys; what is not understood changes nothing.

        Raises:
            ServiceError: no answer, or none that can be used.
        """
        self.asked_at = begun = time.monotonic()
        told = _fetched(issuer.issuer.rstrip("/") + DISCOVERY)
        if told.get("issuer") != issuer.issuer:
            raise _useless("names another issuer than the one that was declared")
        try:
            place = at_home_or_sealed(str(told.get("jwks_uri")))
        except ValueError:
            raise _useless("names no address of keys that can be gone by") from None
        self.keys, self.heard_at, self.asked_at = _keys(_fetched(place)), begun, begun


def _fetched(address: str) -> dict[str, Any]:
    """A JSON object, of bounded size and within a bounded time."""
    until, told = time.monotonic() + TIME_OUT_S, b""
    try:
        with _opener.open(address, timeout=TIME_OUT_S) as answer:
            while some := answer.read1(MOST_BYTES + 1):
                told += some
                if len(told) > MOST_BYTES or time.monotonic() > until:
                    raise _useless("sent too much, or too slowly")
        found = from_json(told)
    except (urllib.error.URLError, OSError, http.client.HTTPException) as problem:
        raise ServiceError(
            f"An issuer of tokens did not answer ({type(problem).__name__}).", hint="Its keys go on for a while."
        ) from None
    except ValueError:
        raise _useless("sent no JSON") from None
    if not isinstance(found, dict):
        raise _useless("sent no JSON object")
    return found


def _keys(told: Mapping[str, Any]) -> dict[str, Key]:
    """Keys for signatures by their id: those that can be used; of two with the same id none."""
    listed = told.get("keys")
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise _useless("sent no set of keys")
    found = [(jwk["kid"], key) for jwk in listed if isinstance(jwk, dict) and (key := _key(jwk)) is not None]
    ids = [kid for kid, _ in found]
    return {kid: key for kid, key in found if ids.count(kid) == 1}


def _key(jwk: dict[str, Any]) -> Key | None:
    if not isinstance(jwk.get("kid"), str) or jwk.get("use", "sig") != "sig" or jwk.get("kty") not in _KINDS:
        return None
    try:
        key = jwt.PyJWK({k: v for k, v in jwk.items() if k != "alg"}).key
    except Exception:  # whatever a parser says to a key that is none: it is not used
        return None
    key = key.public_key() if hasattr(key, "public_key") else key
    if isinstance(key, RSAPublicKey) and not FEWEST_BITS <= key.key_size <= MOST_BITS:
        return None
    alg = jwk.get("alg")
    return key, alg if isinstance(alg, str) else None


_KINDS = ("RSA", "EC", "OKP")
"""Of a shared secret (`oct`) there is no public half."""


def _useless(what: str) -> ServiceError:
    return ServiceError(f"An issuer of tokens {what}.", hint="Its keys go on for a while.")
