"""Through which tasks on a cluster ask the driver for the keys of the subjects whose frames they were given.

A key is sent sealed under a secret that lives as long as the window, is held in a task's memory, written nowhere. A
question and its answer belong together: who is between can put neither in another's place.
"""

from __future__ import annotations

import os
import socket
import socketserver
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from twinops.errors import IntegrityError, ServiceError
from twinops.ports import SubjectKeys

SID, KEY, NONCE = 16, 64, 16
MOST_BYTES = 256 * 2**20
LEAST_ROOM = 2**20
"""What is read of a question beyond all subjects of the window: who asks is known once it is read."""
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class KeysAcross:
    """The SubjectKeys port as a task has it: it asks the window."""

    address: tuple[str, int]
    secret: bytes = field(repr=False)

    def subject_keys(self, sids: Iterable[str]) -> dict[str, bytes]:
        """The key of every subject that still has one and whose rows the window was opened for.

        Raises:
            ServiceError: the driver does not answer.
            IntegrityError: somebody else does.
        """
        asked = b"".join(map(bytes.fromhex, sids))
        nonce, seal = os.urandom(NONCE), AESSIV(self.secret)
        try:
            with socket.create_connection(self.address, PATIENCE_SECONDS) as line:
                _send(line, nonce + seal.encrypt(nonce + asked, [b"asked", nonce]))
                told = seal.decrypt(_received(line), [b"told", nonce])
        except OSError:
            raise ServiceError("The driver gave no keys.", hint="Is it there, and can it be reached?") from None
        except InvalidTag:
            raise IntegrityError("What came in place of keys is not the driver's.") from None
        rows = (told[i : i + SID + KEY] for i in range(NONCE, len(told), SID + KEY))
        return {row[:SID].hex(): row[SID:] for row in rows}


class KeyWindow:
    """Opened by the driver for some subjects; `close` ends it."""

    def __init__(self, keys: SubjectKeys, subjects: frozenset[str], *, host: str) -> None:
        secret, one_at_a_time = os.urandom(KEY), threading.Lock()
        room = min(LEAST_ROOM + 2 * SID * len(subjects), MOST_BYTES)

        class Answer(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.settimeout(PATIENCE_SECONDS)
                try:
                    asked = _received(self.request, at_most=room)
                    nonce, seal = asked[:NONCE], AESSIV(secret)
                    plain = seal.decrypt(asked[NONCE:], [b"asked", nonce])[NONCE:]
                except (InvalidTag, OSError, ValueError):
                    return  # whoever does not know the secret is told nothing
                sids = [plain[i : i + SID].hex() for i in range(0, len(plain), SID)]
                with one_at_a_time:
                    held = keys.subject_keys([sid for sid in sids if sid in subjects])
                told = b"".join(bytes.fromhex(sid) + key for sid, key in held.items())
                # never quite nothing, which this cipher does not take
                _send(self.request, seal.encrypt(os.urandom(NONCE) + told, [b"told", nonce]))

        self._server = socketserver.ThreadingTCPServer((host, 0), Answer)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.across = KeysAcross((host, self._server.server_address[1]), secret)

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()


def _send(line: socket.socket, message: bytes) -> None:
    line.sendall(len(message).to_bytes(8, "big") + message)


def _received(line: socket.socket, *, at_most: int = MOST_BYTES) -> bytes:
    size = int.from_bytes(_exactly(line, 8), "big")
    if size > at_most:
        raise OSError("larger than any message")
    return _exactly(line, size)


def _exactly(line: socket.socket, size: int) -> bytes:
    held = bytearray()
    while len(held) < size:
        more = line.recv(min(size - len(held), 2**20))
        if not more:
            raise OSError("the other side is gone")
        held += more
    return bytes(held)
