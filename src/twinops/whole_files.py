"""A file is there whole or not at all: written beside its place, brought to the disk, then renamed into it.

Whoever is killed halfway leaves what stood before; the half beside it is taken over by the next who writes there, and
`twinops doctor` takes it away. Two writers at once take turns, and the last one's file stands.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from twinops.errors import IntegrityError, TwinopsError

OWNER_ALONE = 0o600
"""Nobody else on this machine reads it."""
AGAIN = "Restore it from git if it is followed there; else `make run` makes it anew once it is deleted."
LIVING = "Delete it, and run the command again: what it says is looked for anew."
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)
"""What a file system says that has no locks."""


def write(path: Path, content: str | bytes, *, mode: int | None = None) -> None:
    """Leave a file, text as UTF-8, in a folder that is made where there is none.

    Its permissions are `mode`, or those of the file that it replaces. A link is replaced, not followed.

    Raises:
        OSError: it cannot be written; what stood there stands.
    """
    with beside(path, mode=mode) as half:
        half.write_bytes(_bytes(content))


def write_once(path: Path, content: str | bytes, *, mode: int | None = None) -> None:
    """The same where nothing is yet; what is there, or comes first, stays."""
    with _beside(path, mode) as (half, file):
        half.write_bytes(_bytes(content))
        os.fsync(file)
        with suppress(FileExistsError):
            os.link(half, path)
        half.unlink()


@contextmanager
def beside(path: Path, *, mode: int | None = None) -> Iterator[Path]:
    """An empty file to write into, which takes the place of `path` at the end; after an error nothing is left of it."""
    with _beside(path, mode) as (half, file):
        yield half
        os.fsync(file)
        half.replace(path)


@contextmanager
def told_in(path: Path, *, hint: str = AGAIN) -> Iterator[Any]:
    """What a JSON file says; whatever turns out otherwise while it is taken apart, the file is named for it.

    Raises:
        FileNotFoundError: it is not there.
        IntegrityError: it is no JSON, or says something else.
    """
    try:
        yield json.loads(path.read_bytes())
    except TwinopsError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as problem:
        raise IntegrityError(f"{path.name} is damaged, or was changed by another hand.", hint=hint) from problem


def half_of(path: Path) -> Path:
    """Where a file is written until it is whole."""
    return path.with_name(f".{path.name}.half")


def taken_away(half: Path) -> bool:
    """Remove what a killed writer left; False: it is gone, or somebody writes it just now."""
    try:
        file = os.open(half, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        half.unlink(missing_ok=True)  # another user's, in a folder of ours
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        half.unlink()
    except (BlockingIOError, FileNotFoundError):
        return False
    except OSError as problem:
        if problem.errno not in NO_LOCKS:
            raise
        half.unlink(missing_ok=True)
    finally:
        os.close(file)
    return True


@contextmanager
def _beside(path: Path, mode: int | None) -> Iterator[tuple[Path, int]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = half_of(path)
    file = _alone(half, 0o666 if mode is None else mode)
    try:
        os.ftruncate(file, 0)
        if mode is None and path.is_file():
            # a copy from DVC's cache may be write-protected
            mode = stat.S_IMODE(path.stat().st_mode) | stat.S_IWUSR
        if mode is not None:
            os.fchmod(file, mode)
        yield half, file
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    finally:
        os.close(file)


def _alone(half: Path, mode: int) -> int:
    """Open for this writer alone; who waited for another finds that file renamed, and begins again."""
    while True:
        file = os.open(half, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        try:
            _lock(file)
            if os.path.samestat(os.fstat(file), half.lstat()):
                return file
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _lock(file: int) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as problem:
        if problem.errno not in NO_LOCKS:
            raise


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
