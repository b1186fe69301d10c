"""Register attacks, run them against a target, and say of each: held, open, or not applicable, and why.

Open is what was seen from outside: another version is production, bytes changed, a 5xx was given. A status code decides
nothing. On a governed server an attack must also be refused in the words that were promised.
"""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import play

from siege.client import Answer, Client, Version

HELD, OPEN, ABSENT, UNCLEAR, BROKEN = "held", "open", "not applicable", "held, not in the words promised", "kit broken"
NEEDS = {
    "database": "the database's address",
    "owner": "the address of the database's owner",
    "disk": "the server's folder",
    "judges": "a server that judges",
    "process": "the server's process",
    "tests": "the project's own tests",
}
ROOT = Path(__file__).resolve().parents[2]
_numbers = itertools.count(1000)


class HarmError(Exception):
    """Seen from outside: what must not happen happened."""


class NotHereError(Exception):
    """This target has nothing that could be attacked so."""


class UnclearError(Exception):
    """Nothing happened, but the refusal does not say what was promised."""


@dataclass(frozen=True)
class Attack:
    """One way round, tried in one or several spellings."""

    name: str
    group: str
    row: str
    run: Callable[..., None]
    cases: tuple[Any, ...] = ()
    needs: frozenset[str] = frozenset()
    stock: str = OPEN
    """What stock MLflow with basic-auth is expected to answer."""
    residual: bool = False
    """Known, listed and shown for what it is."""
    large: bool = False
    """For `make siege` only: it takes long, or `tests/server` tries the same in a test of its own."""
    stored: bool = False
    """It concerns bytes, so it is tried on every kind of storage."""
    test: str = ""
    """Where it is tried by a test of its own, because it needs a server, project or client of its own."""


@dataclass(frozen=True)
class Attempt:
    """One attack in one spelling."""

    attack: Attack
    case: Any = None

    @property
    def id(self) -> str:
        """As a test is named."""
        if self.case is None:
            return self.attack.name
        words = self.case if isinstance(self.case, tuple) else (self.case,)
        return f"{self.attack.name}[{'-'.join(str(w) for w in words)[:60].encode('unicode_escape').decode()}]"


@dataclass(frozen=True)
class Outcome:
    """What one attempt came to."""

    attempt: Attempt
    word: str
    why: str = ""


_attacks: dict[str, Attack] = {}


def attack(group: str, row: str, **told: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function of a target (and a case) as an attack; `row` says in one sentence what is tried."""

    def register(run: Callable[..., None]) -> Callable[..., None]:
        needs = frozenset(told.pop("needs", "").split())
        assert needs <= NEEDS.keys(), needs
        assert run.__name__ not in _attacks, run.__name__
        cases = tuple(told.pop("cases", ()))
        _attacks[run.__name__] = Attack(run.__name__, group, row, run, cases, needs, **told)
        return run

    return register


def elsewhere(group: str, row: str, test: str, *, residual: bool = False) -> None:
    """Register what a test in `tests/` tries; `test` is its path and name."""
    name = test.partition("::")[2]
    assert name not in _attacks, name
    run = partial(_tested, test)
    kept = frozenset({"tests"})
    _attacks[name] = Attack(name, group, row, run, (), kept, ABSENT, residual, large=True, test=test)


def _tested(test: str, here: Field) -> None:
    """Run it; when it passes, what it tries is refused or found, or (residual) is as open as it says."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-x", test]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0 and _attacks[test.partition("::")[2]].residual:
        raise HarmError("as the test shows")
    harm(done.returncode == 1, done.stdout[-600:])
    assert done.returncode == 0, done.stdout[-600:] + done.stderr[-600:]


def attacks() -> Sequence[Attack]:
    """All that are on the shelf `siege/attacks/`, in the order they were written."""
    from siege import attacks as shelf

    for found in sorted(module.name for module in pkgutil.iter_modules(shelf.__path__)):
        importlib.import_module(f"siege.attacks.{found}")
    return tuple(_attacks.values())


def attempts(chosen: Iterable[Attack]) -> list[Attempt]:
    """Each attack in each of its spellings."""
    return [Attempt(one, case) for one in chosen for case in (one.cases or (None,))]


@dataclass
class Siege:
    """A target with something in production that must be there after every attempt."""

    target: Client
    has: frozenset[str] = frozenset()
    """What the attacker holds besides the address; see NEEDS."""
    produced: Version = field(init=False)

    def __post_init__(self) -> None:
        self.produced = self.target.approved(new_number())
        assert self.target.alias(self.produced).status == 200

    def attempt(self, one: Attempt) -> Outcome:
        """Try it, look what happened, and put production back where it was."""
        missing = one.attack.needs - self.has
        if missing:
            return Outcome(one, ABSENT, "it needs " + " and ".join(NEEDS[need] for need in sorted(missing)))
        self.target.broken.clear()
        word, why = self._tried(one)
        if word in (HELD, UNCLEAR):
            word, why = self._looked(word, why)
        return Outcome(one, word, why)

    def _tried(self, one: Attempt) -> tuple[str, str]:
        case = () if one.case is None else (one.case,)
        try:
            one.attack.run(Field(self.target, self.produced), *case)
        except HarmError as harm:
            return OPEN, str(harm)
        except NotHereError as told:
            return ABSENT, str(told)
        except UnclearError as told:
            return UNCLEAR, str(told)
        except Exception:
            return BROKEN, traceback.format_exc(limit=-4)
        return HELD, ""

    def _looked(self, word: str, why: str) -> tuple[str, str]:
        now = self.target.in_production()
        if now != self.produced.version:
            self.target.alias(self.produced)
            return OPEN, f"version {now} is production, {self.produced.version} was approved"
        if self.target.broken:
            return OPEN, "answered 5xx: " + "; ".join(self.target.broken[:3])
        return word, why


@dataclass(frozen=True)
class Field:
    """What an attack gets: the server's voice, what is in production, and how to say what was seen."""

    at: Client
    produced: Version

    @property
    def governed(self) -> bool:
        """Is there anybody who judges."""
        return self.at.governed

    def unapproved(self) -> Version:
        """A version that nobody approved; the same one while it is fit for use."""
        kept: dict[str, Version] = self.at.__dict__.setdefault("_kept", {})
        if "unapproved" not in kept:
            kept["unapproved"] = self.at.registered(new_number())
        return kept["unapproved"]

    def refused(self, answer: Answer, *words: str, status: int | None = None) -> Answer:
        """A governed server refuses, in these words; what a stock one answers is its business."""
        if not self.governed:
            return answer
        said = answer.body.decode("utf-8", errors="replace")
        if status is not None and answer.status != status:
            raise UnclearError(f"answered {answer.status}, not {status}: {said[:200]}")
        if not answer.refused:
            raise UnclearError(f"answered {answer.status}: {said[:200]}")
        missing = [word for word in words if word not in said]
        if missing:
            raise UnclearError(f"{missing} not in: {said[:300]}")
        return answer

    def sentence(self, answer: Answer, *words: str) -> Answer:
        """Refused by a rule, with 403 and a sentence."""
        return self.refused(answer, *words, status=403)


def harm(happened: bool, what: str) -> None:
    """Say what was seen."""
    if happened:
        raise HarmError(what)


def new_number() -> int:
    """A number that makes a model of its own."""
    return next(_numbers)


def new_name(word: str) -> str:
    """A model's name nobody used."""
    return f"{word}-{play.uuid.uuid4().hex[:6]}"
