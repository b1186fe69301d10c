"""Time stamps (RFC 3161) by an authority outside, asked for and verified with OpenSSL: a date nobody here could forge.

Off unless an authority is named. Asking sends a file's SHA-256, nothing of what is in it; verifying needs no network.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from twinops.errors import IntegrityError, ParamsError, ServiceError

VARIABLE = "TWINOPS_TIMESTAMP_URL"
MAX_BYTES = 64 * 1024
_TIME = re.compile(r"^Time stamp: (\w{3} +\d+ \d\d:\d\d:\d\d)(?:\.\d+)? (\d{4}) GMT$", re.MULTILINE)


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
    with tempfile.TemporaryDirectory(prefix=f"twinops-stamp-{os.getpid()}-") as scratch:
        query, answer = Path(scratch) / "query", Path(scratch) / "answer"
        _openssl("-query", "-data", str(path), "-sha256", "-cert", "-out", str(query))
        answer.write_bytes(_asked(authority, query.read_bytes()))
        said = _openssl("-reply", "-in", str(answer), "-text").stdout
        if "Status: Granted" not in said or _imprint(said) != _imprint(_shown(query)):
            raise ServiceError("The authority granted no time stamp for this file.", hint="Ask whoever runs it.")
        made = beside(path)
        waiting = made.with_name(f".{made.name}")
        waiting.write_bytes(answer.read_bytes())
        waiting.replace(made)
    return made


def verified(path: Path, authorities: Path) -> Stamped:
    """The moment of the stamp beside a file, if one of these authorities (PEM) gave it for these bytes. No network.

    Raises:
        IntegrityError: there is none, it is for other bytes, or by somebody else.

    """
    given = beside(path)
    if not given.is_file():
        raise IntegrityError(f"{path.name} carries no time stamp.", hint="`twinops audit stamp` asks for one.")
    told = ("-data", str(path), "-in", str(given), "-CAfile", str(authorities))
    done = _run("-verify", *told)
    found = _TIME.search(_run("-reply", "-in", str(given), "-text").stdout)
    if done.returncode != 0 or "Verification: OK" not in done.stdout or found is None:
        raise IntegrityError(f"The time stamp of {path.name} does not verify.", hint="Compare file and authority.")
    moment = datetime.strptime(f"{found[1]} {found[2]}", "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    return Stamped(path.name, moment)


def _asked(authority: str, query: bytes) -> bytes:
    request = urllib.request.Request(authority, data=query, method="POST")  # noqa: S310  # checked by the caller
    request.add_header("Content-Type", "application/timestamp-query")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            found = bytes(answer.read(MAX_BYTES + 1))
    except (urllib.error.URLError, OSError) as problem:
        raise ServiceError(f"The time stamp authority did not answer: {problem}.", hint="Ask again later.") from None
    if len(found) > MAX_BYTES:
        raise ServiceError("The authority's answer is too long for a time stamp.", hint="Is the address right?")
    return found


def _shown(query: Path) -> str:
    return _openssl("-query", "-in", str(query), "-text").stdout


def _imprint(text: str) -> str:
    """The digest that a query or answer speaks of, as OpenSSL prints it."""
    return "".join(re.findall(r"^ +[0-9a-f]{4} - ([0-9a-f -]+?)   ", text, re.MULTILINE)[:2])


def _openssl(*words: str) -> subprocess.CompletedProcess[str]:
    done = _run(*words)
    if done.returncode != 0:
        told = " ".join(done.stderr.split())[:200]
        raise ServiceError(f"OpenSSL made no sense of it: {told}", hint="Is this a time stamp authority?")
    return done


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["openssl", "ts", *words], capture_output=True, text=True, check=False, timeout=60)
    except FileNotFoundError:
        raise ServiceError("There is no openssl here.", hint="Install OpenSSL's command line.") from None
