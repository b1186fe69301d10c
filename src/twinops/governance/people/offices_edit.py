"""Add a person to `compliance/offices.yaml`, or take one out; comments and everything else stay as they are."""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from twinops.errors import ParamsError
from twinops.governance.people.offices import StaffMember, read


def with_person(text: str, person: StaffMember) -> str:
    """The file with one person more; a line that holds only the person's account is filled in.

    Raises:
        ParamsError: the file would hold a mistake, such as a second office of the same person.
    """
    said = person.model_dump(exclude_none=True, exclude_defaults=True)
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}
    tree = _tree(text)
    place = next((n for n, p in enumerate(read(text).people) if _same(p, person)), None)
    line = CommentedMap({**(tree["people"][place] if place is not None else {}), **plain})
    line.fa.set_flow_style()
    if place is None:
        tree["people"].append(line)
    else:
        tree["people"][place] = line
    return _written(tree)


def account_for(text: str, office: str) -> str | None:
    """The account that stands for the office while nobody is named for it."""
    return next((p.account for p in read(text).people if p.office == office and p.name is None), None)


def without_person(text: str, who: str) -> str:
    """The file without the person of this e-mail or account.

    Raises:
        ParamsError: there is nobody like that, or nobody would be left to decide.
    """
    offices, tree = read(text), _tree(text)
    place = next((n for n, p in enumerate(offices.people) if p.has(who) or p.account == who), None)
    if place is None:
        known = ", ".join(p.emails[0] if p.emails else str(p.account) for p in offices.people) or "nobody"
        raise ParamsError(f"Nobody has the e-mail or account {who!r}.", hint=f"There are: {known}.")
    del tree["people"][place]
    return _written(tree)


def _same(known: StaffMember, person: StaffMember) -> bool:
    return person.account is not None and known.account == person.account and known.name is None


def _round_trip() -> YAML:
    made = YAML()
    made.width = 10_000  # a person is a line, however long the key
    made.preserve_quotes = True
    made.indent(mapping=2, sequence=4, offset=2)
    return made


def _tree(text: str) -> Any:
    read(text)  # what is mistaken is not edited
    return _round_trip().load(text)


def _written(tree: Any) -> str:
    out = io.StringIO()
    _round_trip().dump(tree, out)
    read(out.getvalue())
    return out.getvalue()
