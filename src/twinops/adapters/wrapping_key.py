"""The key that wraps all others (KEK), numbered: in files beside the store, in the environment, or from a command."""

from __future__ import annotations

import base64
import binascii
import secrets
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from twinops.errors import IntegrityError, ParamsError, ServiceError
from twinops.whole_files import OWNER_ALONE, write

BYTES = 64
COMMAND, VARIABLE, FOLDER = "TWINOPS_KEK_COMMAND", "TWINOPS_KEK", "TWINOPS_KEK_FOLDER"
SECONDS = 15
"""So long a command may take."""


class WrappingKeys(Protocol):
    """Gives the wrapping key of a number."""

    @property
    def place(self) -> str:
        """Where it lies, in words for certificates."""

    @property
    def ours(self) -> bool:
        """Whether we can destroy an old one ourselves."""

    def key(self, number: int) -> AESSIV:
        """The key of this number."""

    def fresh(self, number: int) -> AESSIV | None:
        """The key of the next number, another than the one before; None: nobody has made one yet."""

    def destroyed_below(self, number: int) -> None:
        """Destroy every older one that is ours."""


@dataclass(frozen=True)
class KeyFiles:
    """One file a number, 0600, in a folder that no backup of the database takes with it."""

    folder: Path
    place: str = "a file for its owner's eyes beside the key store"
    ours: bool = True

    def key(self, number: int) -> AESSIV:
        """Read it.

        Raises:
            IntegrityError: it is not there, is no key, or others may read it.
        """
        path = self._file(number)
        try:
            if path.stat().st_mode & 0o077:
                raise IntegrityError(f"{path.name} may be read by others.", hint=f"chmod 600 {path.name}")
            return AESSIV(path.read_bytes())
        except (FileNotFoundError, ValueError):
            raise absent(number) from None

    def fresh(self, number: int) -> AESSIV | None:
        """Make it; the file appears whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write(self._file(number), secrets.token_bytes(BYTES), mode=OWNER_ALONE)
        return self.key(number)

    def destroyed_below(self, number: int) -> None:
        """Unlink older files, those that a killed rotation left too."""
        for path in self.folder.glob("kek-*"):
            told = path.name.removeprefix("kek-")
            if told.isdecimal() and int(told) < number:
                path.unlink(missing_ok=True)

    def _file(self, number: int) -> Path:
        return self.folder / f"kek-{number}"


@dataclass(frozen=True)
class KeyVariables:
    """`TWINOPS_KEK_<number>`, or `TWINOPS_KEK` for the only one there is: 64 bytes in hexadecimal or base64."""

    environment: Mapping[str, str] = field(repr=False)
    place: str = "the environment of whoever runs twinops"
    ours: bool = False

    def key(self, number: int) -> AESSIV:
        """Read it.

        Raises:
            IntegrityError: it is not set.
        """
        text = self.environment.get(f"{VARIABLE}_{number}") or self.environment.get(VARIABLE)
        if not text:
            raise absent(number)
        return AESSIV(_taken(text, f"{VARIABLE}_{number}"))

    def fresh(self, number: int) -> AESSIV | None:
        """Only a variable of that very number is another key."""
        mine, before = (self.environment.get(f"{VARIABLE}_{n}") for n in (number, number - 1))
        if not mine or mine in (before, self.environment.get(VARIABLE)):
            return None
        return self.key(number)

    def destroyed_below(self, number: int) -> None:
        """Not ours: whoever set the variable takes it away."""


@dataclass(frozen=True)
class KeyCommand:
    """A command as a KMS's client is one: called with the number behind its words, it prints 64 bytes as text."""

    words: tuple[str, ...] = field(repr=False)
    place: str = "behind a command (a key management service)"
    ours: bool = False

    def key(self, number: int) -> AESSIV:
        """Ask for it.

        Raises:
            ServiceError: the command does not answer in time, or with anything but a key.
        """
        return AESSIV(self._asked(number))

    def fresh(self, number: int) -> AESSIV | None:
        """The key of the next number, if the service has one that is another."""
        try:
            made = self._asked(number)
        except ServiceError:
            return None
        return None if made == self._asked(number - 1) else AESSIV(made)

    def destroyed_below(self, number: int) -> None:
        """Not ours: the service's owner destroys the older version."""

    def _asked(self, number: int) -> bytes:
        try:
            done = subprocess.run(
                [*self.words, str(number)], capture_output=True, text=True, check=False, timeout=SECONDS,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as problem:
            raise self._silent(type(problem).__name__) from None
        if done.returncode != 0:
            raise self._silent(f"it ended with {done.returncode}")
        return _taken(done.stdout, COMMAND)

    def _silent(self, why: str) -> ServiceError:
        # neither its words nor what it printed: either may hold a secret
        return ServiceError(
            f"The command of {COMMAND} gave no wrapping key: {why}.",
            hint=f"It is called with the number of the key and prints {BYTES} bytes, hexadecimal or base64, "
            f"within {SECONDS} seconds.",
        )


def wrapping_keys(folder: Path, environment: Mapping[str, str]) -> WrappingKeys:
    """From the command, the variables or the files, whichever is said first in this order."""
    if environment.get(COMMAND):
        return KeyCommand(tuple(shlex.split(environment[COMMAND])))
    if any(name == VARIABLE or _numbered(name) for name, value in environment.items() if value):
        return KeyVariables(environment)
    return KeyFiles(Path(environment.get(FOLDER) or folder))


def absent(number: int) -> IntegrityError:
    """There is no wrapping key of this number."""
    return IntegrityError(
        f"The key store has no usable key-encryption key of epoch {number}.",
        hint="Restore the whole folder of keys (TWINOPS_KEYSTORE, or keystore/), or the data stay closed.",
    )


def _numbered(name: str) -> bool:
    return name.startswith(f"{VARIABLE}_") and name.removeprefix(f"{VARIABLE}_").isdecimal()


def _taken(text: str, where: str) -> bytes:
    """Hexadecimal or base64."""
    told = "".join(text.split())
    for read in (bytes.fromhex, lambda given: base64.b64decode(given, validate=True)):
        try:
            found = read(told)
        except (ValueError, binascii.Error):
            continue
        if len(found) == BYTES:
            return found
    raise ParamsError(f"{where} holds no key of {BYTES} bytes.", hint="Write it in hexadecimal, or in base64.")
