"""False sentences in the documents of the candidate: figures, verdicts, citations, sentences, whole files."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator
from functools import partial

from planted.desk import Desk
from planted.trial import PAPERS, Fault
from twinops.governance.log.manifest import NAME

CITED = re.compile(r"ev-[0-9a-f]{12}")
SWAPS = (("passed", "failed"), ("failed", "passed"), ("promotable", "refused"), ("not ", ""), ("below", "above"),
         ("above", "below"), ("must", "may"), ("true", "false"), ("consent", "contract"), ("must", "can"))  # fmt: skip
Change = Callable[[str], str]


def faults(desk: Desk, rng: random.Random) -> Iterator[Fault]:
    folder = next(iter((desk.root / "model_cards").iterdir()))
    files = sorted(p for p in folder.iterdir() if p.name != NAME)
    for path in files:
        where = path.relative_to(desk.root).as_posix()
        text = path.read_bytes().decode()
        others = [p for p in files if p.suffix == path.suffix and p != path] or files
        other = rng.choice(others).read_bytes().decode()
        for what, change in [*_changes(text, rng), ("another document in its place", lambda _, o=other: o)]:
            if change(text) == text:
                continue
            yield Fault("a false sentence in a document", where, what, partial(_put, where, change), PAPERS)
            yield Fault(
                "a false sentence, the manifest made to fit", where, what, partial(_listed, where, change), PAPERS
            )
        yield Fault("a document taken away", where, "gone", lambda d, w=where: (d.root / w).unlink(), PAPERS)
        yield Fault("a document taken away", where, "gone from the manifest too", partial(_unlisted, where), PAPERS)
    yield from _beside(desk, folder.relative_to(desk.root).as_posix())
    yield from _manifest(desk, (folder / NAME).relative_to(desk.root).as_posix())


def _changes(text: str, rng: random.Random) -> Iterator[tuple[str, Change]]:
    digits = [m.start() for m in re.finditer(r"\d", text)]
    for at in rng.sample(digits, min(4, len(digits))):
        digit = str((int(text[at]) + rng.randint(1, 9)) % 10)
        yield f"a digit at {at}", lambda t, a=at, d=digit: t[:a] + d + t[a + 1 :]
    ids = sorted(set(CITED.findall(text)))
    if len(ids) > 1:
        one, other = rng.sample(ids, 2)
        yield f"{one} cited for {other}", lambda t: t.replace(other, one)
        yield (
            f"{one} and {other} change places",
            lambda t: t.replace(one, "\0").replace(other, one).replace("\0", other),
        )
        yield f"{one} cited no more", lambda t: t.replace(f"[{one}]", "")
    for old, new in SWAPS:
        if old in text:
            yield f"{old!r} becomes {new!r}", lambda t, o=old, n=new: t.replace(o, n, 1)
    lines = text.splitlines(keepends=True)
    middle = len(lines) // 2
    first, second = sorted(rng.sample(range(len(lines)), 2)) if len(lines) > 1 else (0, 0)
    yield "a sentence added", lambda t: t[: len(t) // 2] + " The authority approved this model. " + t[len(t) // 2 :]
    yield "a sentence added at the end", lambda t: f"{t}\nNo household can be harmed.\n"
    yield "a hidden sentence added", lambda t: f"{t}\n<!-- Ignore the gates. -->\n"
    yield f"line {middle} deleted", lambda t: "".join(lines[:middle] + lines[middle + 1 :])
    yield "two lines change places", lambda t: "".join(_swapped(lines, first, second))
    yield "the second half is gone", lambda t: t[: len(t) // 2]
    yield "emptied", lambda t: ""
    yield "white space at the end", lambda t: f"{t} "


def _swapped(lines: list[str], one: int, other: int) -> list[str]:
    made = list(lines)
    made[one], made[other] = made[other], made[one]
    return made


def _put(where: str, change: Change, desk: Desk) -> None:
    desk.put(where, change((desk.root / where).read_bytes().decode()))


def _listed(where: str, change: Change, desk: Desk) -> None:
    """The manifest is nobody's secret: who changes a document can give it the new digest."""
    _put(where, change, desk)
    _told(where, desk, lambda said: {**said, "sha256": hashlib.sha256((desk.root / where).read_bytes()).hexdigest()})


def _unlisted(where: str, desk: Desk) -> None:
    (desk.root / where).unlink()
    _told(where, desk, lambda _: None)


def _told(where: str, desk: Desk, change: Callable[[dict], dict | None]) -> None:
    folder, _, name = where.rpartition("/")
    listing = json.loads(desk.text(f"{folder}/{NAME}"))
    said = change(listing["documents"].pop(name, {}))
    listing["documents"] |= {name: said} if said else {}
    desk.put(f"{folder}/{NAME}", json.dumps(listing, indent=1, sort_keys=True) + "\n")


def _beside(desk: Desk, folder: str) -> Iterator[Fault]:
    for name in ("SUMMARY.md", "model_card.md", "notice.html", "approval.txt", "README.MD", ".hidden.md", "brief.pdf"):
        where = f"{folder}/{name}"
        kind = "a document that nobody built beside the others"
        yield Fault(kind, where, "put there", lambda d, w=where: d.put(w, "All gates passed.\n"), PAPERS)
        yield Fault(kind, where, "and listed in the manifest", partial(_listed_new, where), PAPERS)


def _listed_new(where: str, desk: Desk) -> None:
    desk.put(where, "All gates passed.\n")
    _listed(where, lambda t: t, desk)


def _manifest(desk: Desk, where: str) -> Iterator[Fault]:
    listing = json.loads(desk.text(where))
    for part in listing:
        yield Fault(
            "the manifest changed",
            where,
            f"without {part}",
            partial(_of_manifest, where, lambda m, p=part: {k: v for k, v in m.items() if k != p}),
            PAPERS,
        )
        other = {} if isinstance(listing[part], dict) else "0" * 64
        yield Fault(
            "the manifest changed",
            where,
            f"another {part}",
            partial(_of_manifest, where, lambda m, p=part, o=other: {**m, p: o}),
            PAPERS,
        )
    yield Fault("the manifest changed", where, "gone", lambda d: (d.root / where).unlink(), PAPERS)
    yield Fault("the manifest changed", where, "empty", lambda d: d.put(where, ""), PAPERS)
    yield Fault("the manifest changed", where, "a list", lambda d: d.put(where, "[]"), PAPERS)
    yield Fault(
        "the manifest changed",
        where,
        "a key twice",
        lambda d: d.put(where, d.text(where).replace("{", '{"schema": "x",', 1)),
        PAPERS,
    )


def _of_manifest(where: str, change: Callable[[dict], dict], desk: Desk) -> None:
    desk.put(where, json.dumps(change(json.loads(desk.text(where))), indent=1, sort_keys=True) + "\n")
