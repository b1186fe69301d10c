"""`sources.lock.json`: what your own sources outside the project held when last looked at. DVC cannot see those."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from os import SEEK_END
from pathlib import Path
from typing import Any

from twinops import whole_files
from twinops.data.own_sources import watching
from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.files import opening
from twinops.data.own_sources.people.replaced import replaced
from twinops.data.own_sources.reading import cells_of, digest_of, known_to, netted, signed_rows
from twinops.data.own_sources.receipts import kept_nets
from twinops.data.own_sources.receipts.netting import NOTHING_BACK, MonthNet, Settlement
from twinops.entities.canonical import to_json
from twinops.errors import IntegrityError

AGAIN = "Run `twinops sources fingerprint` (`make run` does it), and commit dvc.yaml and sources.lock.json."


Nets = Mapping[str, MonthNet]
"""What returns do in each month of a folder."""


def fingerprint(source: DeclaredSource, nets: Nets | None = None, *, before: Path | None = None) -> dict[str, Any]:
    """SHA-256 of every declared file, or of a query's result or exports, and bytes or records; no name, no value.

    Of a folder of months what returns did in each, too, so that a month need not follow from all others' bytes: as it
    is known, or as the lock `before` says of the same bytes, read by the same rules; else every file is read for that.
    """
    found = digests(source)
    if source.said.joins:
        found[WHOLE] |= {watching.REPLACED: replaced([source]).digest}
    if (whose := known_to(source)) is not None:
        found[WHOLE] |= {watching.KNOWN_BY: whose.digest}
    if (said := _said_before(before, source, found) if nets is None else None) is not None:
        return said
    told = netted(source) if nets is None else nets
    by = rules(source) if told else ""
    bound = {month: {"net": net.digest, "beside": [*net.beside], "by": by} for month, net in told.items()}
    return {batch: facts | bound.get(batch, {}) for batch, facts in found.items()}


def _said_before(path: Path | None, source: DeclaredSource, found: dict[str, Any]) -> dict[str, Any] | None:
    """What the lock says of these very bytes; None: it says nothing that still holds."""
    if path is None or source.said.reads != "folder":
        return None
    try:
        said = dict(json.loads(path.read_text(encoding="utf-8"))["own"][source.name])
        by = rules(source)
        same = said.keys() == found.keys() and all(said[m].items() >= f.items() for m, f in found.items())
        return said if same and all(facts["by"] == by for facts in said.values()) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def netted_since(path: Path, source: DeclaredSource) -> Nets:
    """What returns do in each month of a folder; files that the lock knows, and in which no return is, are read only
    where one is in another file.

    A return is left out of the month it stands in, which then has a digest: so a month without one has no return.
    """
    found = digests(source) if source.said.reads == "folder" else {}
    said = _said(path, source)
    by = rules(source) if said else ""
    same = [m for m, facts in found.items() if m in said and said[m].items() >= {**facts, "by": by}.items()]
    if same and all(said[m].get("net") == "" for m in same):
        others = netted(source, among=[m for m in found if m not in same]) if len(same) < len(found) else {}
        if all(net.digest == "" for net in others.values()):
            return {month: MonthNet(Settlement({}, {}), (), "") for month in found}
    return netted(source)


def _said(path: Path, source: DeclaredSource) -> dict[str, dict[str, Any]]:
    """All that the lock says of a source, by batch; nothing where it cannot be read."""
    try:
        own = json.loads(path.read_text(encoding="utf-8"))["own"]
        return {str(batch): dict(facts) for batch, facts in own[source.name].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def locked(path: Path, source: DeclaredSource) -> dict[str, str]:
    """SHA-256 of each part as the lock says it; nothing of a source that is not locked."""
    return {batch: str(facts["sha256"]) for batch, facts in _said(path, source).items() if "sha256" in facts}


def rules(source: DeclaredSource) -> str:
    """Tells apart how rows are read and settled: by what is declared of them, and by our code that does it."""
    told = sha256(repr((source.said, source.max_rows)).encode())
    home = Path(__file__).parents[1]
    for path in sorted(p for p in home.rglob("*") if p.suffix in (".py", ".sql", ".yaml")):
        told.update(path.relative_to(home).as_posix().encode() + b"\0" + path.read_bytes())
    return told.hexdigest()


def digests(source: DeclaredSource) -> dict[str, Any]:
    """The same by bytes alone: files are not cut into records, a billion bytes are looked at in a second."""
    if source.said.reads in ("sql", "archives"):
        cells = list(cells_of(source, "all"))
        return {
            "all": {"records": sum(c.records for c in cells), "sha256": digest_of({c.file: c.digest for c in cells})}
        }
    return {batch: _of_files(source, path) for batch, path in opening.batches(source).items()}


def _of_files(source: DeclaredSource, path: Path) -> dict[str, Any]:
    """They are not cut into records: a file of a billion bytes is looked at in a second."""
    files, size = {}, 0
    for one in opening.parts(source, path):
        with opening.opened(source, one) as file:
            files[opening.label(path, one)], size = opening.digest(file), size + file.seek(0, SEEK_END)
    return {"bytes": size, "sha256": digest_of(files)}


def write(path: Path, sources: dict[str, dict[str, Any]]) -> None:
    """Write the lock; without own sources it is a constant."""
    whole_files.write(path, to_json({"own": sources}, indent=1) + "\n")


def locked_net(path: Path, source: DeclaredSource, batch: str, *, kept: Path | None = None) -> MonthNet | None:
    """What returns do in a month of a folder, by the files that it is bound with; None: it is no such folder.

    In the folder `kept` may lie what was found a moment ago: then only the month's own file is read.

    Raises:
        IntegrityError: there is no lock, or these files are others, or do something else.
    """
    if source.said.reads != "folder":
        return None
    opening.of_batch(source, batch)
    said, files = _locked(path, source, batch), digests(source)
    for month, facts in files.items():
        check(path, source, month, str(facts["sha256"]))
    same = all(_locked(path, source, month)["sha256"] == facts["sha256"] for month, facts in files.items())
    if same and said.get("by") == rules(source):
        if said.get("net") == NOTHING_BACK.digest:
            return NOTHING_BACK  # of these bytes, by these rules, the lock says so: no month need be read for it
        settled = kept_nets.kept(kept, source.name, batch) if kept else None
        rows = signed_rows(source, batch)
        if known := kept_nets.confirmed(settled, rows, net=str(said.get("net")), beside=said.get("beside", ())):
            return known
    some = [batch, *map(str, said.get("beside", ()))]
    found = netted(source, among=some)[batch]
    if found.digest == said.get("net"):
        return found
    every = netted(source)  # seldom some months end otherwise than they do among all
    changed = {m for m, net in every.items() if net.digest != _locked(path, source, m).get("net")}
    if changed - ({batch} if _is_watched(path, source) else set()):
        raise IntegrityError(f"{source.where} is not what {path.name} says: it changed.", hint=AGAIN)
    return every[batch]


def check(path: Path, source: DeclaredSource, batch: str, digest: str) -> None:
    """Refuse what is not what the lock says: the pipeline would not know that it changed.

    DVC sees files of the project by itself; but what a month of a folder sent back into others, the lock alone says.

    Raises:
        IntegrityError: there is no lock, or the file is another one.
    """
    # a silent change would pass for the data that were approved
    if not _is_watched(path, source) and _locked(path, source, batch)["sha256"] != digest:
        raise IntegrityError(f"{source.where} is not what {path.name} says: it changed.", hint=AGAIN)


def check_replaced(path: Path, source: DeclaredSource) -> None:
    """Refuse numbers that replace others than those that every stage goes by.

    Raises:
        IntegrityError: the lock does not know which numbers replace which, or knows of others.
    """
    told = _said(path, source).get(WHOLE, {}).get(watching.REPLACED)
    if source.said.joins and told != replaced([source]).digest:
        raise IntegrityError(f"{path.name} does not say which numbers {source.where} replaces.", hint=AGAIN)


def check_known(path: Path, source: DeclaredSource) -> None:
    """Refuse addresses of other customers than those that the stage goes by.

    Raises:
        IntegrityError: the lock does not know whose they are, or knows of others.
    """
    whose = known_to(source)
    if whose is not None and _said(path, source).get(WHOLE, {}).get(watching.KNOWN_BY) != whose.digest:
        raise IntegrityError(f"{path.name} does not say whose addresses {source.where} holds.", hint=AGAIN)


def _is_watched(path: Path, source: DeclaredSource) -> bool:
    """Whether DVC itself sees that a file of the source changed, so that its own month is collected anew."""
    return watching.is_watched(path.with_name("dvc.yaml"), source.said, source.root)


def _locked(path: Path, source: DeclaredSource, batch: str) -> dict[str, Any]:
    """What the lock says of a batch."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))["own"][source.name]
        found: dict[str, Any] = said[batch if source.said.reads == "folder" else "all"]
        return found | {"sha256": found["sha256"]}
    except (OSError, ValueError, KeyError, TypeError):
        raise IntegrityError(f"{path.name} does not know {source.where} {batch}.", hint=AGAIN) from None
