"""The window between cells and what is sealed: cells ask for a step by name, and are given what may be shown of it.

Behind it stands another process, so no key and no id is within reach of a cell's attributes. What a step made stays
there; a cell has what may be shown of it, and hands that back to name the whole. Questions are JSON, so nothing a cell
says can run behind the window; answers are pickles, which come from our own code.
"""

from __future__ import annotations

import json
import os
import pickle
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from twinops import errors
from twinops.errors import IntegrityError, ParamsError, ServiceError, TwinopsError

HELD = "twinops:held"
MOST = 1 << 20
"""So many bytes a question has at most."""

DOOR = "TWINOPS_WINDOW"
"""Where cells that run for a stage are told which open file the window is."""

Step = Callable[..., Any]


@dataclass
class Behind:
    """The side with the keys: it knows the steps by name, and keeps what they made."""

    steps: Mapping[str, Step]
    about: Any
    made: list[Any] = field(default_factory=list)

    def serve(self, door: socket.socket) -> None:
        """Answer until nobody asks any more."""
        while (said := _heard(door, at_most=MOST)) is not None:
            _say(door, pickle.dumps(self._answer(said)))

    def _answer(self, said: bytes) -> tuple[str, Any, Any]:
        try:
            asked = json.loads(said)
            if asked["step"] == "":
                return "about", self.about, None
            return self._done(asked)
        except TwinopsError as problem:
            return "refused", type(problem).__name__, (problem.what, problem.hint)
        except Exception as problem:
            where = problem.__traceback__
            while where is not None and where.tb_next is not None:
                where = where.tb_next
            place = f" (line {where.tb_lineno} of {where.tb_frame.f_code.co_name})" if where else ""
            what = f"The step ended with {type(problem).__name__}{place}; nothing was kept."
            return "refused", "ServiceError", (what, "Call it with what its help tells.")

    def _done(self, asked: dict[str, Any]) -> tuple[str, Any, Any]:
        step = self.steps.get(asked["step"])
        if step is None:
            hint = f"There are {', '.join(sorted(self.steps))}."
            raise ParamsError(f"There is no step {asked['step']!r:.60} here.", hint=hint)
        args, named = self._meant(asked["args"]), self._meant(asked["named"])
        try:
            found = step(*args, **named)
        except TypeError as problem:
            if problem.__traceback__ is not None and problem.__traceback__.tb_next is not None:
                raise
            raise ParamsError(f"{asked['step']} was not called as it expects: {problem}.") from None
        self.made.append(found)
        return "made", len(self.made) - 1, getattr(found, "shown", found)

    def _meant(self, value: Any) -> Any:
        """What was said, with what is held in the place of its number."""
        if isinstance(value, dict) and set(value) == {HELD}:
            number = value[HELD]
            if type(number) is not int or not 0 <= number < len(self.made):
                raise ParamsError("What is handed back was never made here.")
            return self.made[number]
        if isinstance(value, dict):
            return {name: self._meant(one) for name, one in value.items()}
        return [self._meant(one) for one in value] if isinstance(value, list) else value


class Window:
    """The side of the cells."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self._given: dict[int, tuple[int, Any]] = {}

    def about(self) -> Any:
        """What is told to whoever comes."""
        return self._asked({"step": ""})[1]

    def ask(self, step: str, *args: Any, **named: Any) -> Any:
        """Have a step done, and be given what may be shown of it.

        Raises:
            TwinopsError: as the step raised it; ParamsError where an argument is neither plain nor of an earlier step.
        """
        _, number, shown = self._asked({"step": step, "args": self._named(args), "named": self._named(named)})
        self._given[id(shown)] = (number, shown)
        return shown

    def _asked(self, question: dict[str, Any]) -> tuple[str, Any, Any]:
        _say(self._door, json.dumps(question, allow_nan=False).encode())
        said = _heard(self._door)
        if said is None:
            raise ServiceError("What is sealed is out of reach: the process behind the window ended.")
        kind, name, told = answer = pickle.loads(said)  # noqa: S301 - of our own code, from the side that is trusted
        if kind == "refused":
            raise getattr(errors, name, IntegrityError)(told[0], hint=told[1])
        return answer

    def _named(self, value: Any) -> Any:
        """What is said, with its number in the place of what an earlier step gave."""
        held = self._given.get(id(value))
        if held is not None and held[1] is value and value is not None:
            return {HELD: held[0]}
        if isinstance(value, Mapping):
            return {str(name): self._named(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._named(one) for one in value]
        if value is None or isinstance(value, str | bool | int | float):
            return value
        raise ParamsError(
            f"A step takes names, numbers and what an earlier step gave, and no {type(value).__name__}: nothing of a "
            "cell's own can be stored without running code.",
            hint="An estimator of your own is a file of ideas/heads/, named in params.yaml; give its name.",
        )


@cache
def inherited() -> Window:
    """The window that these cells were given by whoever executes them."""
    return Window(socket.socket(fileno=int(os.environ[DOOR])))


def _say(door: socket.socket, text: bytes) -> None:
    door.sendall(struct.pack(">Q", len(text)) + text)


def _heard(door: socket.socket, *, at_most: int | None = None) -> bytes | None:
    """One message, or None when the other side is gone."""
    head = _bytes(door, 8)
    if head is None:
        return None
    (length,) = struct.unpack(">Q", head)
    return None if at_most is not None and length > at_most else _bytes(door, length)


def _bytes(door: socket.socket, length: int) -> bytes | None:
    found = bytearray()
    while len(found) < length:
        try:
            part = door.recv(min(length - len(found), 1 << 20))
        except OSError:
            return None
        if not part:
            return None
        found += part
    return bytes(found)
