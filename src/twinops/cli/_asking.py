"""Ask whoever sits at a terminal, one thing at a time: what, why, what holds while it is open, and where it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from email.utils import parseaddr
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from twinops.cli._answer import seen

if TYPE_CHECKING:
    from twinops.data.own_sources.proposing.asking import Question

OPEN = "open"


def asked(questions: Sequence[Question]) -> dict[str, Any]:
    """The answers by what they are about; of what was left as it stands nothing, but for a fact that was left open."""
    found: dict[str, Any] = {}
    if questions:
        typer.echo(f"\n{len(questions)} things stand in no file. Enter alone leaves one as it is.")
    for n, question in enumerate(questions, 1):
        given = _answer(question, f"{n}/{len(questions)}", [v[1] for v in found.values() if isinstance(v, tuple)])
        if given != question.left or question.options:
            found[question.about] = given
            typer.echo("   left open" if given == OPEN else f"   noted: {_shown(given)}")
    return found


def _answer(question: Question, number: str, named: Sequence[str]) -> Any:
    typer.echo(seen(f"\n({number}) {question.text}"))
    for head, told in (("why", question.why), ("left open", question.until), ("goes into", question.where)):
        typer.echo(seen(f"   {head}: {told}"))
    listed = f" ({', '.join(question.options)})" if question.options else ""
    return typer.prompt(f"   answer{listed}", default=question.left, value_proc=_reader(question, named))


def _shown(given: Any) -> str:
    return " ".join(given) if isinstance(given, tuple) else str(given)


def _reader(question: Question, named: Sequence[str]) -> Callable[[str], Any]:
    """How what was typed is read; what cannot be is told, and asked again."""
    if question.options:
        return partial(_one_of, question.options)
    readers: dict[str, Callable[[str], Any]] = {
        "days": _days,
        "person": partial(_person, named),
        "currency": _currency,
        "zone": _zone,
    }
    return readers.get(question.form, str.strip)


def _one_of(options: tuple[str, ...], given: str) -> str:
    """The option that was typed, in capitals or not, or by its beginning where only one begins so.

    Raises:
        BadParameter: it is none; the question is asked again.
    """
    told = given.strip()
    near = [o for o in options if o.casefold() == told.casefold()] or [
        o for o in options if told and o.startswith(told)
    ]
    if len(near) != 1:
        raise typer.BadParameter(f"{told!r} is none of {', '.join(options)}.")
    return near[0]


def _days(given: str) -> int | str:
    """Raises BadParameter where it is no such number."""
    told = given.strip()
    if told == OPEN:
        return OPEN
    if not told.isdecimal() or not 1 <= int(told) <= 3_650:
        raise typer.BadParameter(f"{told!r} is no number of days from 1 to 3650.")
    return int(told)


def _currency(given: str) -> str:
    """Raises BadParameter where it is no code of three letters."""
    told = given.strip().upper()
    if len(told) != 3 or not (told.isascii() and told.isalpha()):
        raise typer.BadParameter(f"{given.strip()!r} is no code of three letters, such as EUR.")
    return told


def _zone(given: str) -> str:
    """Raises BadParameter where there is no such zone."""
    from zoneinfo import available_timezones

    told = given.strip()
    if told not in available_timezones():
        raise typer.BadParameter(f"{told!r} is no time zone, such as Europe/Berlin.")
    return told


def _person(named: Sequence[str], given: str) -> tuple[str, str] | str:
    """Name and e-mail of somebody who was not named for another office.

    Raises:
        BadParameter: one of them is missing, or the same person holds another office.
    """
    told = given.strip()
    if told == OPEN:
        return OPEN
    name, email = parseaddr(told)
    if not name or "@" not in email:
        raise typer.BadParameter("Write a name and an e-mail, as Ann Example <ann@example.org>.")
    if email.casefold() in map(str.casefold, named):
        raise typer.BadParameter("One person holds one office; name somebody else, or leave it open.")
    return name, email
