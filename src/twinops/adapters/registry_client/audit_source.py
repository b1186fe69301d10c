"""Where audit entries, checkpoints and keys are read from: a database, a server, or an exported file. Read only."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from twinops.adapters.registry_client.client import Door
from twinops.entities.canonical import from_json
from twinops.errors import DataError, ParamsError
from twinops.governance.log.checkpoint import notes_in
from twinops.whole_files import beside

HEAD = "twinops.audit/1"
NOTES = "twinops-audit"
"""The git notes that hold checkpoints: `git notes --ref=twinops-audit`."""


@dataclass(frozen=True)
class Log:
    """Entries as they were hashed, and the head the database claims; accounts by pseudonym where they are known."""

    bodies: list[bytes]
    head: tuple[int, str] | None = None
    names: dict[str, str] = field(default_factory=dict)


def from_database(address: str) -> Log:
    """Read the registry's database directly; it need not be running."""
    if address.startswith("sqlite"):
        return _from_sqlite(Path(address.partition("///")[2]))
    from sqlalchemy import create_engine, text

    engine = create_engine(address)
    try:
        with engine.connect() as connection:
            found = connection.execute(text("SELECT body FROM twinops_event ORDER BY seq")).scalars()
            bodies = [body.encode() for body in found]
            size, peaks = connection.execute(text("SELECT size, peaks FROM twinops_head")).one()
            names = {p: a for a, p in connection.execute(text("SELECT account, pseudonym FROM twinops_actor"))}
    finally:
        engine.dispose()
    return Log(bodies, (size, _root(size, peaks)), names)


def from_server(door: Door) -> Log:
    """Ask a running server, ten thousand entries at a time."""
    bodies: list[bytes] = []
    while True:
        told = door.get("log", **{"from": len(bodies)})
        bodies += [entry.encode() for entry in told["entries"]]
        if not told["entries"] or len(bodies) >= told["size"]:
            return Log(bodies[: told["size"]], (told["size"], told["root"]), told["names"])


def from_file(path: Path) -> Log:
    """An export: one entry per line, after one line with the head."""
    try:
        with path.open("rb") as file:
            lines = file.read().split(b"\n")
        told = from_json(lines[0])
        if told["schema"] != HEAD:
            raise KeyError(told["schema"])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        raise DataError(
            f"{path.name} is no exported audit log.", hint="Make one with `twinops audit export`."
        ) from None
    if lines[-1] == b"":
        lines.pop()
    return Log(lines[1:], (int(told["size"]), str(told["root"])))


def to_file(log: Log, path: Path) -> None:
    """Write an export; no account is named in it."""
    size, root = log.head or (len(log.bodies), "")
    with beside(path) as half, half.open("wb") as file:
        file.write(json.dumps({"schema": HEAD, "size": size, "root": root}).encode() + b"\n")
        file.writelines(body + b"\n" for body in log.bodies)


def checkpoints(places: list[Path]) -> list[str]:
    """Every note in these files and folders."""
    files = [f for place in places for f in (sorted(place.glob("*.txt")) if place.is_dir() else [place])]
    return [note for file in files if file.is_file() for note in notes_in(file.read_text(encoding="utf-8"))]


def checkpoints_in_git(root: Path) -> list[str]:
    """Every note that git holds for this project; nothing where there is no git or no note."""
    listed = _git(root, "notes", f"--ref={NOTES}", "list")
    blobs = "".join(f"{line.split()[0]}\n" for line in listed.splitlines() if line)
    return notes_in(_git(root, "cat-file", "--batch=", told=blobs)) if blobs else []


def note_in_git(root: Path, notes: Sequence[str]) -> None:
    """Add checkpoints to the current commit's note, unless they stand there or the folder is in no repository."""
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return
    held = _git(root, "notes", f"--ref={NOTES}", "show", "HEAD")
    new = [note for note in notes if note.strip() not in held]
    if new:
        name = ("-c", "user.name=twinops", "-c", "user.email=twinops@localhost")
        _git(root, *name, "notes", f"--ref={NOTES}", "append", "-F", "-", "HEAD", told="\n".join(new))


def keys(places: list[Path]) -> list[bytes]:
    """Public keys: files of 64 hexadecimal digits, one per line; old ones stay valid for what they signed."""
    found = []
    for place in places:
        try:
            found += [bytes.fromhex(line) for line in place.read_text(encoding="utf-8").split()]
        except (OSError, ValueError):
            raise ParamsError(
                f"{place.name} is no public key.", hint="It is registry/registry.pub of the server."
            ) from None
    return found


def _from_sqlite(path: Path) -> Log:
    if not path.is_file():
        raise DataError(f"There is no {path.name} here.", hint="Start `twinops server` once, or name an export.")
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
        try:
            found = connection.execute("SELECT body FROM twinops_event ORDER BY seq")
            bodies = [body.encode() for (body,) in found]
            size, peaks = connection.execute("SELECT size, peaks FROM twinops_head").fetchone()
            names = {p: a for a, p in connection.execute("SELECT account, pseudonym FROM twinops_actor")}
        except sqlite3.OperationalError:
            raise DataError("This registry has no audit log yet.", hint="Start `twinops server` once.") from None
    return Log(bodies, (size, _root(size, peaks)), names)


def _root(size: int, peaks: str) -> str:
    from twinops.governance.log.merkle import Frontier

    try:
        return Frontier.from_text(size, peaks).root.hex()
    except ValueError:
        return "not a head"


def _git(root: Path, *words: str, told: str = "") -> str:
    command = ["git", "-C", str(root), *words]
    try:
        done = subprocess.run(command, input=told, capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""
