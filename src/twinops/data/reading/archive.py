"""Archives from strangers, opened in memory with every size capped and nothing ever written to disk."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath, PureWindowsPath

from twinops.data.reading.reading import Fault, Refused

MAX_ARCHIVE = 256 * 2**20
MAX_MEMBERS = 50_000
MAX_MEMBER = 64 * 2**20
MAX_RATIO = 200
"""Text compresses 3-20 times; a bomb a thousand times and more."""
RATIO_FROM = 2**24
"""Smaller members cannot hurt, whatever their ratio."""

_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip


def members(path: Path, wanted: Collection[str]) -> dict[str, bytes]:
    """The wanted members of a folder, a zip or a tar.gz, by name; absent ones are absent. A star stands for anything.

    Raises:
        Refused: the archive is broken, a bomb, or names a place outside itself; then nothing of it enters.
    """
    # an unpacked archive: the same members, the same caps
    if path.is_dir():
        there = sorted({p for name in wanted for p in path.glob(name) if p.is_file()})
        return _together((p.relative_to(path).as_posix(), _inside(path, p)) for p in there)
    if path.stat().st_size > MAX_ARCHIVE:
        raise Refused(Fault.OVERSIZED)
    try:
        with path.open("rb") as file:
            return _together(_zipped(file, wanted) if zipfile.is_zipfile(file) else _tarred(file, wanted))
    except _BROKEN:
        raise Refused(Fault.BAD_ARCHIVE) from None


def _together(found: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """All of them, as long as they are no more than an archive may hold."""
    out, size = {}, 0
    for name, data in found:
        size += len(data)
        if size > MAX_ARCHIVE:
            raise Refused(Fault.ARCHIVE_BOMB)
        out[name] = data
    return out


def _is_wanted(name: str, wanted: Collection[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in wanted)


def _inside(folder: Path, path: Path) -> bytes:
    """A member of a folder, none of whose folders is a link out of it."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise Refused(Fault.PATH_TRAVERSAL)
    return _file(path)


def _file(path: Path) -> bytes:
    """A file of a folder; a link is not followed."""
    if path.is_symlink():
        raise Refused(Fault.PATH_TRAVERSAL)
    with path.open("rb") as file:
        return _bounded(file.read(MAX_MEMBER + 1))


def _zipped(file: io.BufferedReader, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(file) as archive:
        found = archive.infolist()
        # one hostile name and nothing of the archive enters: who writes one may have written the rest
        _check_names([m.filename for m in found])
        if any(stat.S_ISLNK(m.external_attr >> 16) for m in found):
            raise Refused(Fault.PATH_TRAVERSAL)
        for member in found:
            # what the directory claims; the stream is capped as well
            _check_ratio(member.file_size, member.compress_size)
            if _is_wanted(member.filename, wanted):
                # encrypted members cannot be looked at
                if member.flag_bits & 0x1:
                    raise Refused(Fault.BAD_ARCHIVE)
                with archive.open(member) as stream:
                    yield member.filename, _bounded(stream.read(MAX_MEMBER + 1))


def _tarred(file: io.BufferedReader, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """One pass over the stream; what is not wanted is skipped, and counts towards the cap all the same."""
    file.seek(0)
    with gzip.open(file) as unpacked, tarfile.open(fileobj=_Capped(unpacked), mode="r|") as archive:
        names: list[str] = []
        for member in archive:
            names.append(member.name)
            _check_names(names[-1:])
            if len(names) > MAX_MEMBERS:
                raise Refused(Fault.ARCHIVE_BOMB)
            # links and devices lead out of the archive
            if not (member.isfile() or member.isdir()):
                raise Refused(Fault.PATH_TRAVERSAL)
            if _is_wanted(member.name, wanted):
                # the same name twice: two readers would take two different ones
                if member.name in names[:-1]:
                    raise Refused(Fault.BAD_ARCHIVE)
                stream = archive.extractfile(member)
                yield member.name, _bounded(stream.read(MAX_MEMBER + 1) if stream else b"")


class _Capped(io.RawIOBase):
    """A stream that ends the reading when it gives more than an archive may hold."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        super().__init__()
        self.stream, self.left = stream, MAX_ARCHIVE

    def read(self, size: int = -1) -> bytes:
        """The next bytes.

        Raises:
            Refused: it was too many.
        """
        data = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise Refused(Fault.ARCHIVE_BOMB)
        return data


def _check_names(names: list[str]) -> None:
    """No absolute places, no way up, no drive letters, no NUL, none twice.

    Raises:
        Refused: some name is hostile or repeated, or there are too many.
    """
    if len(names) > MAX_MEMBERS:
        raise Refused(Fault.ARCHIVE_BOMB)
    if any(_leads_out(name) for name in names):
        raise Refused(Fault.PATH_TRAVERSAL)
    if len(set(names)) != len(names):
        raise Refused(Fault.BAD_ARCHIVE)


def _leads_out(name: str) -> bool:
    windows = PureWindowsPath(name)
    return bool(
        "\0" in name
        or name.startswith("/")
        or windows.drive
        or windows.root
        or ".." in windows.parts
        or ".." in PurePosixPath(name).parts
    )


def _check_ratio(size: int, packed: int) -> None:
    if size > MAX_ARCHIVE or (size > RATIO_FROM and size > MAX_RATIO * max(packed, 1)):
        raise Refused(Fault.ARCHIVE_BOMB)


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_MEMBER:
        raise Refused(Fault.ARCHIVE_BOMB)
    return data
