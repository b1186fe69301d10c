"""Who worked on a candidate: everybody whom a commit since a base names, read from git's own objects.

Each commit is held against the digest it is called by and its parents are followed by hand: what a clone says about its
history besides (replacements, grafts, a commit graph, dates, settings) changes nothing here.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from twinops.adapters.registry_client.commit import GIT
from twinops.errors import IntegrityError, ParamsError, ServiceError
from twinops.governance.people.addresses import compared
from twinops.governance.policy.own_files import Known, all_own

NAMED = re.compile(
    r"^\s*(?:co-?author(?:ed)?-by|co-?author|co-?developed-by|signed-off-by)\s*:\s*(\S.*)$",
    re.IGNORECASE | re.MULTILINE,
)
"""Trailers that name somebody who took part, wherever in the message they stand."""
NOTHING = frozenset({""})
"""What a commit touches that changes no file: it is nobody's own."""
CUT = (
    ("rev-parse --is-shallow-repository", "it is shallow", "git fetch --unshallow"),
    ("for-each-ref --count=1 refs/replace/", "it replaces commits (refs/replace)", "git replace -d <each>"),
    (
        r"config --get-regexp ^(remote\..*\.(promisor|partialclonefilter)|extensions\.partialclone)$",
        "it is a partial clone",
        "a whole clone: git clone without --filter",
    ),
)
"""Question to git, what an answer means, and what mends it."""


@dataclass(frozen=True)
class Commit:
    """One commit as its object says it. `people` are e-mails as they are written, or a name without any."""

    tree: str
    parents: tuple[str, ...]
    people: frozenset[str]


@dataclass(frozen=True)
class Worked:
    """Who worked on it since `base` (None: since ever), and who wrote what lies before an adopted base."""

    base: str | None
    authors: tuple[str, ...]
    upstream: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bases:
    """Commits that authors may be counted from: those that were in production, newest first; else the adopted one."""

    promoted: tuple[str, ...] = ()
    adopted: str | None = None


def worked(root: Path, bases: Bases, *, known: Known) -> Worked:
    """Everybody who took part since the first of these commits that lies in this history.

    Raises:
        IntegrityError: this clone does not hold the whole history, or says something else than its objects.
    """
    against_cut(root)
    with _objects(root) as objects:
        history = objects.history(_resolved(root, "HEAD"))
        base = next((c for c in (*bases.promoted, bases.adopted) if c in history), None)
        before = objects.history(base) if base else {}
        since = {name: commit for name, commit in history.items() if name not in before}
        people = _people(root, objects, since, known)
    adopted = base is not None and base not in bases.promoted
    upstream = frozenset[str]().union(*(c.people for c in before.values())) if adopted else frozenset[str]()
    return Worked(base, _mapped(root, people), tuple(sorted({compared(p) for p in upstream})))


def writers(root: Path, since: str, *, of: Callable[[str], bool]) -> tuple[str, ...]:
    """Everybody named by a commit since that one which changes such a file against any parent; since ever without it.

    Raises:
        IntegrityError: the clone is cut off.
    """
    against_cut(root)
    with _objects(root) as objects:
        history = objects.history(_resolved(root, "HEAD"))
        before = objects.history(since) if since in history else {}
        new = [commit for name, commit in history.items() if name not in before]
        people = [c.people for c in new if any(map(of, _touched(root, objects, c)))]
    return _mapped(root, frozenset[str]().union(*people))


def history_of(root: Path, revision: str) -> tuple[str, dict[str, Commit]]:
    """The whole id of a commit, and every commit up to it; it must lie in the history of what is checked out.

    Raises:
        ParamsError: git knows no such commit.
        IntegrityError: it lies elsewhere, or the clone is cut off.
    """
    against_cut(root)
    base = _resolved(root, revision)
    with _objects(root) as objects:
        if base not in objects.history(_resolved(root, "HEAD")):
            raise IntegrityError(
                f"{base[:12]} is not in the history of what is checked out here.", hint="`git log` shows what is."
            )
        return base, objects.history(base)


def _resolved(root: Path, revision: str) -> str:
    """The whole id, for a branch, a tag, `HEAD~3` or the beginning of an id; asked once, used from then on."""
    done = _run(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if done.returncode != 0:
        raise ParamsError(f"Git knows no commit {revision[:80]!r} here.", hint="`git log` shows which there are.")
    return done.stdout.decode().strip()


def against_cut(root: Path) -> None:
    """Refuse a clone that does not hold its whole history, or that changes how it looks."""
    grafts = root / _git(root, "rev-parse", "--git-path", "info/grafts").strip()
    packs = root / _git(root, "rev-parse", "--git-path", "objects/pack").strip()
    found = [(why, mend) for asked, why, mend in CUT if _says(root, asked)]
    if grafts.is_file() and grafts.read_bytes().strip():
        found.append(("it has grafts", f"rm {grafts}"))
    if any(packs.glob("*.promisor")) and not any(why == CUT[2][1] for why, _ in found):
        found.append(CUT[2][1:])
    if found:
        raise IntegrityError(
            f"This clone does not tell who worked on the candidate: {'; '.join(why for why, _ in found)}.",
            hint=f"Mend it, then try again: {'; '.join(mend for _, mend in found)}.",
        )


def _says(root: Path, asked: str) -> bool:
    done = _run(root, *asked.split())
    return done.returncode == 0 and done.stdout.strip() not in (b"", b"false")


def _people(root: Path, objects: _Objects, since: dict[str, Commit], known: Known) -> frozenset[str]:
    """Everybody named, but for officers whose part was only to sign their own files."""
    found: set[str] = set()
    for commit in since.values():
        for who in commit.people - found:
            person = known.offices.by_email(who)
            signed = partial(objects.file, commit.tree)
            officer = person is not None and person.office is not None
            if not officer or not all_own(_touched(root, objects, commit), person, read=signed, known=known):
                found.add(who)
    return frozenset(found)


def _touched(root: Path, objects: _Objects, commit: Commit) -> frozenset[str]:
    """Paths that differ from any parent: a merge answers for both its sides."""
    trees = [objects.commit(parent).tree for parent in commit.parents]
    diff = ("diff-tree", "-r", "-z", "--no-renames", "--name-only", "--ignore-submodules=none", "--no-ext-diff")
    told = [_git(root, *diff, tree, commit.tree) for tree in trees]
    if not trees:
        told = [_git(root, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit.tree)]
    return frozenset(name for one in told for name in one.split("\0") if name) or NOTHING


def _mapped(root: Path, people: Iterable[str]) -> tuple[str, ...]:
    """Each as written and, beside it, as the candidate's own `.mailmap` would have it: it can add, never hide."""
    raw = sorted(people)
    asked = [who for who in raw if re.fullmatch(r"[^<>\s\0]+@[^<>\s\0]+", who)]
    lines = _git(root, "check-mailmap", "--stdin", given="".join(f"<{who}>\n" for who in asked)) if asked else ""
    also = [line.rpartition("<")[2].rstrip(">") for line in lines.splitlines()]
    return tuple(sorted({compared(who) for who in (*raw, *also)}))


class _Objects:
    """Git's objects by name, each commit checked against the digest it is called by."""

    def __init__(self, ask: IO[bytes], answer: IO[bytes]) -> None:
        self.ask, self.answer = ask, answer
        self.known: dict[str, Commit] = {}

    def history(self, tip: str) -> dict[str, Commit]:
        """The commit of this name and everything it came from."""
        found: dict[str, Commit] = {}
        left = [tip]
        while left:
            name = left.pop()
            if name not in found:
                found[name] = self.commit(name)
                left += found[name].parents
        return found

    def commit(self, name: str) -> Commit:
        """Raises IntegrityError when it is not there or is not what it is called."""
        if name not in self.known:
            told = self._read(name)
            kind = hashlib.sha1 if len(name) == 40 else hashlib.sha256
            if told is None or kind(b"commit %d\0" % len(told) + told).hexdigest() != name:
                raise IntegrityError(
                    f"The history ends at {name[:12]}, or was changed there: who worked before is not known.",
                    hint="Fetch all of it: `git fetch --unshallow`, or clone anew.",
                )
            self.known[name] = _commit(told)
        return self.known[name]

    def file(self, tree: str, path: str) -> bytes | None:
        """A file of a tree; None: there is none."""
        return None if "\n" in path or not path else self._read(f"{tree}:{path}")

    def _read(self, name: str) -> bytes | None:
        self.ask.write(name.encode(errors="surrogateescape") + b"\n")
        self.ask.flush()
        told = re.fullmatch(rb"[0-9a-f]+ (\w+) (\d+)\n", self.answer.readline())
        if told is None:
            return None
        content = self.answer.read(int(told[2]))
        self.answer.read(1)
        return content if told[1] in (b"commit", b"blob") else None


def _commit(told: bytes) -> Commit:
    head, _, message = told.partition(b"\n\n")
    lines = [line.partition(b" ")[::2] for line in head.split(b"\n")]
    named = dict(lines)
    encoding = named.get(b"encoding", b"utf-8").decode(errors="replace")
    wrote = [_text(value, encoding) for key, value in lines if key in (b"author", b"committer")]
    people = {_address(line) for line in wrote} | {
        a for line in NAMED.findall(_text(message, encoding)) for a in _all(line)
    }
    parents = tuple(value.decode() for key, value in lines if key == b"parent")
    return Commit(named[b"tree"].decode(), parents, frozenset(people))


def _text(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding, errors="replace")
    except LookupError:
        return raw.decode(errors="replace")


def _address(line: str) -> str:
    """What stands between the last angle brackets of an author's line; without any, the line."""
    found = re.search(r"<([^<>]*)>[^<>]*$", line)
    return (found[1].strip() if found else "") or line.strip()


def _all(line: str) -> list[str]:
    return [a.strip() for a in re.findall(r"<([^<>]+)>", line)] or [line.strip()]


@contextmanager
def _objects(root: Path) -> Iterator[_Objects]:
    command = _command(root, "cat-file", "--batch")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment()) as git:
        if git.stdin is None or git.stdout is None:
            raise ServiceError("Git did not start.", hint="Is git installed?")
        yield _Objects(git.stdin, git.stdout)
        git.stdin.close()


def _git(root: Path, *words: str, given: str = "") -> str:
    done = _run(root, *words, given=given)
    if done.returncode != 0:
        told = done.stderr.decode(errors="replace").strip()[:200]
        raise ServiceError("Git could not tell who worked on this candidate.", hint=told or "Is this a clone?")
    return done.stdout.decode(errors="surrogateescape")


def _run(root: Path, *words: str, given: str = "") -> subprocess.CompletedProcess[bytes]:
    command, told = _command(root, *words), given.encode(errors="surrogateescape")
    return subprocess.run(command, input=told, capture_output=True, env=_environment(), check=False)


def _command(root: Path, *words: str) -> list[str]:
    # neither a file monitor that the clone's settings name nor a commit graph that lies there is asked
    return ["git", "-C", str(root), "-c", "core.fsmonitor=false", "-c", "core.commitGraph=false", *words]


def _environment() -> dict[str, str]:
    """As git is asked about any candidate, and without late fetches: an object that is not there is missing."""
    return {**GIT, "PATH": os.environ.get("PATH", os.defpath), "HOME": os.devnull, "GIT_NO_LAZY_FETCH": "1"}
