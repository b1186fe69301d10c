"""Open a declared file: the one that was meant, a regular file inside its folder, within its bounds."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, cast

from twinops.data.own_sources.declared import MONTH, DeclaredSource
from twinops.data.own_sources.declared_law import WHOLE
from twinops.errors import DataError, ParamsError

_CHUNK = 2**20
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_PACKED = {_ZIP: "a zip archive", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2"}
SHEETS = (".xlsx", ".xls", ".ods")
TEXTS = (".csv", ".csv.gz", ".txt", ".txt.gz", ".tsv", ".tsv.gz")
TABLES = (*TEXTS, ".parquet", *SHEETS)
"""How files end that can be read; each file of a folder is read as what it is."""
_ANY = ".*"
_OF_NO_SHOP = ("_", ".", "~$")
"""What systems and programs leave in a folder begins so, or is called as below."""
_LEFT_BY_SYSTEMS = ("thumbs.db", "desktop.ini")


_NOTES = ("readme", "read me", "lisezmoi", "lisez-moi", "liesmich", "leeme", "léeme", "leggimi", "leiame", "leia-me",
          "leesmij", "läsmig", "læsmig", "lesmeg", "lueminut", "czytaj", "przeczytaj", "ctimne", "čtimne", "precti",
          "olvass", "citeste", "benioku", "прочти", "прочитай")  # fmt: skip
"""So begin the names of notes that lie beside files."""


def batches(source: DeclaredSource) -> dict[str, Path]:
    """The declared files: by month for a folder, or the one file as `all`.

    Raises:
        DataError: the folder is not there, holds no file of a month, or two files of one month.
    """
    place = _declared_path(source)
    if source.said.reads != "folder":
        return {"all": place}
    if not place.is_dir():
        raise DataError(f"{source.where}: there is no folder {place.name}.", hint="Check path in params.yaml.")
    found = months_named(place, source.said.files or "")
    if not found:
        raise DataError(
            f"{source.where}: {place.name} holds no file {source.said.files}.", hint="Check files in params.yaml."
        )
    return found


def months_named(folder: Path, files: str) -> dict[str, Path]:
    """The files of a folder that are called as `files` says, by the month for `{month}`.

    Raises:
        DataError: two of them are of one month.
    """
    before, after = files.split("{month}")
    found: dict[str, Path] = {}
    for name in sorted(p.name for p in folder.iterdir()):
        month = _month_of(name, before, after)
        if month is not None and month in found:
            raise DataError(
                f"{found[month].name} and {name} in the folder {folder.name} are of one month.",
                hint="Take one of them out of the folder, or put their rows into one.",
            )
        found |= {} if month is None else {month: folder / name}
    return found


def ignored(source: DeclaredSource) -> tuple[str, ...]:
    """Names of files that lie in a folder of months, are called nearly as its months are, and are not read."""
    place = _declared_path(source)
    if source.said.reads != "folder" or not place.is_dir():
        return ()
    before, after = (source.said.files or "").split("{month}")
    stem = before.strip(" _-.").casefold()
    names = sorted(p.name for p in place.iterdir() if p.is_file() and not p.name.startswith("."))
    near = (n for n in names if (stem in n.casefold() if stem else n.casefold().endswith(after.casefold())))
    return tuple(n for n in near if _month_of(n, before, after) is None)


def ends_open(source: DeclaredSource, batch: str) -> bool:
    """A text file's last line has no end, as where a copy broke off."""
    if source.said.reads in ("sql", "sqlite", "archives"):
        return False
    last, ending = b"\n", parts(source, of_batch(source, batch))[-1]
    if written_as(source, ending) != "csv":
        return False
    with opened(source, ending) as file, whole(source):
        text = unpacked(file)
        while chunk := text.read(_CHUNK):
            last = chunk[-2:]
    return not last.endswith((b"\n", b"\r", b"\n\0", b"\r\0"))


def of_batch(source: DeclaredSource, batch: str) -> Path:
    """The file a batch is in.

    Raises:
        DataError: a folder holds no file of this month, which may not be taken for a month without receipts.
        ParamsError: the batch is not a month.
    """
    if not (MONTH.fullmatch(batch) or (batch == WHOLE and source.said.reads != "folder")):
        raise ParamsError(
            f"{batch!r} is not a month.", hint="Say it as YYYY-MM, or `all` for one file with all months."
        )
    if source.said.reads != "folder":
        return _declared_path(source)
    found = batches(source)
    if batch not in found:
        raise DataError(
            f"{source.where}: there is no file {(source.said.files or '').replace('{month}', batch)}.",
            hint="Put it there, an empty one with its header if nothing was sold; or take the month out of `months`.",
        )
    return found[batch]


@contextmanager
def opened(source: DeclaredSource, path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, from its beginning.

    Raises:
        DataError: it is not there, leads out of its folder, is no regular file, or is larger than `max_bytes`.
    """
    declared = _declared_path(source)
    base = declared if declared.is_dir() else path.parent
    try:
        real, inside = path.resolve(strict=True), base.resolve(strict=True)
        if not real.is_relative_to(inside):
            raise DataError(
                f"{source.where}: {path.name} leads out of its folder.", hint="Put the file itself there, not a link."
            )
        # no link and no pipe: what was checked is what is opened
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError, RuntimeError):
        raise DataError(
            f"{source.where}: there is no readable file {path.name}.", hint="Check path in params.yaml."
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        # of the open file, not of the path, which may mean another one by now
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise DataError(f"{source.where}: {path.name} is no regular file.", hint="Copy what is in it to a file.")
        if about.st_size > source.said.max_bytes:
            raise too_large(source, about.st_size)
        _refuse_packed(source, path, file)
        yield file


def too_large(source: DeclaredSource, size: int) -> DataError:
    """The error of a file with more bytes than allowed, packed or unpacked."""
    return DataError(
        f"{source.where} has {size:,} bytes or more; max_bytes is {source.said.max_bytes:,}.",
        hint="Raise max_bytes if that is right, or split the file into months.",
    )


def parts(source: DeclaredSource, path: Path) -> list[Path]:
    """The file, or of a folder all files, each as what it is, in order of their names.

    Raises:
        DataError: the folder holds no such file, or one that is not read: its rows would be lost in silence.
    """
    if not path.is_dir():
        return [path]
    inside = within(path)
    found = [p for p in inside if p.name.casefold().endswith(TABLES)]
    if not found:
        raise DataError(
            f"{source.where}: the folder {path.name} holds no file that ends with {' or '.join(TABLES)}.",
            hint="Check path and reads in params.yaml.",
        )
    other = [label(path, p) for p in inside if p not in found]
    if other:
        raise DataError(
            f"{source.where}: {', '.join(other[:5])} in the folder {path.name} cannot be read.",
            hint=f"Save it as {', '.join(TABLES)}, or move it out of the folder if it holds no rows.",
        )
    return found


def within(folder: Path) -> list[Path]:
    """All files of a folder and the folders in it, in order, but notes, and what systems and programs leave there."""
    inside = (p for p in folder.rglob("*") if p.is_file() and p.name.casefold() not in _LEFT_BY_SYSTEMS)
    shop = (p for p in inside if not any(n.startswith(_OF_NO_SHOP) for n in p.relative_to(folder).parts))
    return sorted(p for p in shop if not is_note(p))


def is_note(part: Path) -> bool:
    """A text that tells of the files beside it, by its name."""
    return part.name.casefold().startswith(_NOTES) and part.suffix.casefold() in ("", ".txt", ".md")


def label(path: Path, part: Path) -> str:
    """How a part is called: by its way from the folder, as folders below may hold files of one name."""
    return part.name if part == path else part.relative_to(path).as_posix()


def unpacked(file: BinaryIO) -> BinaryIO:
    """What is in a gzip file; any other as it is."""
    packed = file.read(2) == _GZIP
    file.seek(0)
    return cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file


@contextmanager
def whole(source: DeclaredSource) -> Iterator[None]:
    """Say of a gzip file that it is broken."""
    try:
        yield
    except (OSError, EOFError, zlib.error):
        raise DataError(f"{source.where} is no whole gzip file.", hint="Pack it again, or copy it again.") from None


def digest(file: BinaryIO) -> str:
    """SHA-256 of all of it; the file is at its beginning again afterwards."""
    found = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK):
        found.update(chunk)
    file.seek(0)
    return found.hexdigest()


def _declared_path(source: DeclaredSource) -> Path:
    """Relative ones are the project's."""
    return source.root / (source.said.path or "")


def _month_of(name: str, before: str, after: str) -> str | None:
    """The month that a file is named after; with `.*` whichever way it is written."""
    endings = [e for e in TABLES if name.casefold().endswith(e)] if after.endswith(_ANY) else [""]
    stem = after.removesuffix(_ANY) if after.endswith(_ANY) else after
    for ending in endings:
        rest = name[: len(name) - len(ending)]
        if rest.startswith(before) and rest.endswith(stem):
            month = rest[len(before) : len(rest) - len(stem)]
            if MONTH.fullmatch(month):
                return month
    return None


def written_as(source: DeclaredSource, part: Path) -> Literal["csv", "excel", "parquet"]:
    """How a file is read: one of a folder as its name ends, a declared one as `reads` says."""
    said, name = source.said.reads, part.name.casefold()
    if said in ("csv", "excel", "parquet") and not (_declared_path(source) != part and name.endswith(TABLES)):
        return "excel" if said == "csv" and name.endswith(SHEETS) else said
    return written(name)


def written(name: str) -> Literal["csv", "excel", "parquet"]:
    """The same by a file's name alone."""
    name = name.casefold()
    return "excel" if name.endswith(SHEETS) else "parquet" if name.endswith(".parquet") else "csv"


def _refuse_packed(source: DeclaredSource, path: Path, file: BinaryIO) -> None:
    head = file.read(4)
    file.seek(0)
    for magic, what in _PACKED.items():
        if head.startswith(magic) and not (magic == _ZIP and written_as(source, path) == "excel"):
            raise DataError(f"{source.where}: {path.name} is {what}; archives are not opened.", hint="Unpack it first.")
