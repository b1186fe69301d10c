"""Time stamps (RFC 3161) by an authority outside, asked for and verified: a date that nobody here could forge.

Off unless an authority is named. Asking sends a file's SHA-256, nothing of what is in it; verifying needs no network.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from twinops.adapters import straight
from twinops.errors import IntegrityError, ParamsError, ServiceError
from twinops.whole_files import write

VARIABLE = "TWINOPS_TIMESTAMP_URL"
MAX_BYTES = 64 * 1024
_CERTIFICATES = 0xA0  # their tag in a token's SignedData, RFC 5652, 5.1


@dataclass(frozen=True)
class Stamped:
    """A file and the moment (UTC) by which an authority saw it."""

    name: str
    at: datetime


def beside(path: Path) -> Path:
    """Where the stamp of a file lies."""
    return path.with_name(path.name + ".tsr")


def stamp(path: Path, authority: str) -> Path:
    """Ask the authority for a stamp over the file and keep its answer beside it.

    Raises:
        ParamsError: the address is not http(s).
        ServiceError: the authority did not answer, or granted nothing for this file.
    """
    if not authority.startswith(("http://", "https://")):
        raise ParamsError("The time stamp authority's address is not http(s).", hint=f"Name it in {VARIABLE}.")
    request = TimestampRequestBuilder(path.read_bytes(), HashAlgorithm.SHA256).build()
    content = _asked(authority, request.as_bytes())
    try:
        granted = _grants(_decoded(content), request)
    except ValueError as problem:
        raise ServiceError(f"The answer is no time stamp: {problem}.", hint="Is this a time stamp authority?") from None
    if not granted:
        raise ServiceError("The authority granted no time stamp for this file.", hint="Ask whoever runs it.")
    made = beside(path)
    write(made, content)
    return made


def verified(path: Path, authorities: Path) -> Stamped:
    """The moment of the stamp beside a file, if one of these authorities (PEM) gave it for these bytes. No network.

    The authority's certificate must have been valid at that moment; it may have ended since.

    Raises:
        IntegrityError: there is none, it is for other bytes, or by somebody else.
    """
    given = beside(path)
    if not given.is_file():
        raise IntegrityError(f"{path.name} carries no time stamp.", hint="`twinops audit stamp` asks for one.")
    try:
        answer = _decoded(given.read_bytes())
        roots = x509.load_pem_x509_certificates(authorities.read_bytes())
        VerifierBuilder(roots=roots).build().verify_message(answer, path.read_bytes())
    except (ValueError, VerificationError):
        hint = "Compare file and authority."
        raise IntegrityError(f"The time stamp of {path.name} does not verify.", hint=hint) from None
    return Stamped(path.name, answer.tst_info.gen_time.astimezone(UTC))


def _asked(authority: str, query: bytes) -> bytes:
    request = urllib.request.Request(authority, data=query, method="POST")  # noqa: S310  # checked by the caller
    request.add_header("Content-Type", "application/timestamp-query")
    try:
        with straight.opened(request, seconds=20) as answer:
            found = bytes(answer.read(MAX_BYTES + 1))
    except (urllib.error.URLError, OSError) as problem:
        raise ServiceError(f"The time stamp authority did not answer: {problem}.", hint="Ask again later.") from None
    if len(found) > MAX_BYTES:
        raise ServiceError("The authority's answer is too long for a time stamp.", hint="Is the address right?")
    return found


def _decoded(content: bytes) -> TimeStampResponse:
    with suppress(IndexError, ValueError):  # no answer at all, or a refusal without a token: the decoder says so
        content = _sorted(content)
    return decode_timestamp_response(content)


def _sorted(content: bytes) -> bytes:
    """The certificates in DER's order of a set: OpenSSL's authorities keep another, and no signature covers it."""
    _status, token = _elements(_inside(content))
    _kind, signed = _elements(_inside(token))
    held = _elements(_inside(_inside(signed)))[3]
    listed = _elements(_inside(held)) if held[0] == _CERTIFICATES else []
    return content.replace(b"".join(listed), b"".join(sorted(listed))) if listed else content


def _elements(content: bytes) -> list[bytes]:
    """DER elements that stand one after the other, each with its tag and length."""
    found = []
    while content:
        head, size = _head(content)
        found.append(content[: head + size])
        content = content[head + size :]
    return found


def _inside(element: bytes) -> bytes:
    return element[_head(element)[0] :]


def _head(element: bytes) -> tuple[int, int]:
    """How many bytes tag and length take, and how many the value."""
    long = element[1] & 0x7F if element[1] > 0x7F else 0
    return 2 + long, int.from_bytes(element[2 : 2 + long]) if long else element[1]


def _grants(answer: TimeStampResponse, request: TimeStampRequest) -> bool:
    """RFC 3161, 2.4.2: granted, for this imprint and as the answer to this very request."""
    if answer.status != PKIStatus.GRANTED:  # a refusal carries no token at all
        return False
    told, asked = answer.tst_info, request.message_imprint
    same = (told.message_imprint.hash_algorithm, told.message_imprint.message) == (asked.hash_algorithm, asked.message)
    return same and told.nonce == request.nonce
