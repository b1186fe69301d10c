"""An OpenID Connect issuer on loopback: discovery and keys over HTTP, tokens signed with real keys that rotate."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from serving import Shop

AUDIENCE = "twinops"
BASKETS = {"azp": "web-shop"}
MAKES: dict[str, Callable[[], Any]] = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "RS256 of 1024 bits": lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505  # what is refused
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


@dataclass
class Issuer:
    """What the two routes say; `silent`: it answers nothing that can be used."""

    address: str = ""
    keys: dict[str, tuple[str, Any]] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    silent: bool = False
    says: dict[str, bytes] = field(default_factory=dict)
    """Sent by path in place of an answer."""
    asked: list[str] = field(default_factory=list)

    def new_key(self, kid: str, kind: str = "RS256", *, shown: bool = True) -> str:
        self.keys[kid] = (kind.partition(" ")[0], MAKES[kind]())
        if shown:
            self.shown.append(kid)
        return kid

    def jwk(self, kid: str) -> dict[str, Any]:
        alg, key = self.keys[kid]
        made = jwt.get_algorithm_by_name(alg).to_jwk(key.public_key(), as_dict=True)
        return {**made, "kid": kid, "use": "sig", "alg": alg}

    def answer(self, path: str) -> bytes | None:
        self.asked.append(path)
        if self.silent:
            return None
        if path in self.says:
            return self.says[path]
        if path == "/.well-known/openid-configuration":
            return json.dumps({"issuer": self.address, "jwks_uri": f"{self.address}/keys"}).encode()
        return json.dumps({"keys": [self.jwk(kid) for kid in self.shown]}).encode() if path == "/keys" else None

    def claims(self, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        made = {"iss": self.address, "aud": AUDIENCE, "sub": "s-1", "iat": now, "exp": now + 300, **BASKETS, **more}
        return {name: value for name, value in made.items() if value is not None}

    def token(self, kid: str | None = None, *, alg: str | None = None, header: Any = None, **more: Any) -> str:
        """Signed with this key, or the newest that is shown; a claim that is None is left out."""
        kid = kid or self.shown[-1]
        kind, key = self.keys[kid]
        said = json.dumps(self.claims(**more)).encode()  # not jwt.encode, which refuses to say what is wrong
        return jwt.PyJWS().encode(said, key, algorithm=alg or kind, headers={"kid": kid, **(header or {})})


@contextmanager
def issuing() -> Iterator[Issuer]:
    found = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = found.answer(self.path)
            if body is None:
                self.send_error(500)
                return
            if body.startswith(b"http"):
                self.send_response(302)
                self.send_header("Location", body.decode())
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def declare(shop: Shop, issuer: Issuer, **more: Any) -> None:
    """Two clients of this issuer: a shop that asks for offers, and a till that tells of events."""
    clients = [
        {"name": "web-shop", "claims": BASKETS, "purposes": ["offers"], "acts": ["predict", "score"], "rate": 1e5},
        {"name": "till", "claims": {"azp": "till"}, "acts": ["events"]},
        {"name": "few", "claims": {"azp": "few"}, "purposes": ["offers"], "acts": ["predict"], "rate": 1},
    ]
    said = {"issuer": issuer.address, "audience": AUDIENCE, "clients": clients, **more}
    half = shop.places.compliance / "clients.half"
    half.write_text(json.dumps({"issuers": [said]}), encoding="utf-8")  # JSON is YAML
    half.replace(shop.places.compliance / "clients.yaml")
