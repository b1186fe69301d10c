"""What new rules change against the active ones, in words, and whether that lets more through than before.

A limit's direction stands in its name (`..._at_most`, `..._at_least`); where no name tells it, any change counts as
letting more through: a second office is asked once too often rather than once too seldom.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twinops.governance.people.offices import Offices, StaffMember
from twinops.governance.policy.limits import Gate, Policy

LOWER_IS_STRICTER = ("at_most", "at_most_days", "most_contacts", "approval_days")
HIGHER_IS_STRICTER = ("at_least", "more_than")
MORE_IS_STRICTER = (
    "never",
    "never_keyed_on",
    "vulnerable",
    "required",
    "attributes",
    "quantities",
    "protected_aliases",
)
FEWER_IS_STRICTER = ("may_resolve", "by", "gate_runners")
TOLD_ONLY = ("version", "valid_from", "valid_until")
"""Renewing a policy is a look at it; the limits it renews are compared one by one."""


@dataclass(frozen=True)
class Change:
    """One thing that differs, as a sentence; `loosens`: it lets more through, or nobody can tell that it does not."""

    sentence: str
    loosens: bool = False


def of_policies(old: Policy | None, new: Policy) -> tuple[Change, ...]:
    """What a new policy changes; where none was active, what it asks for."""
    return tuple(_first(new) if old is None else _policies(old, new))


def of_offices(old: Offices | None, new: Offices) -> tuple[Change, ...]:
    """What a new offices file changes. Who is who decides who may approve what, so any change of people is told."""
    if old is None:
        return tuple(Change(f"{_who(person)} is known from now.") for person in new.people)
    before, after = (_flat(o.model_dump(mode="json", exclude={"people"})) for o in (old, new))
    return (*_values(before, after, ""), *_people(old, new))


def _first(new: Policy) -> Iterator[Change]:
    until = f" until {new.valid_until}" if new.valid_until else ", without an end"
    yield Change(f"Policy {new.version} judges from now: in force from {new.valid_from}{until}.")
    for gate in new.gates:
        limits = ", ".join(f"{name} {_word(value)}" for name, value in gate.limits.items())
        yield Change(f"{gate.id}: {'blocks' if gate.blocks else 'is advisory'}{f'; {limits}' if limits else ''}.")
    for name, why in new.not_judged.items():
        yield Change(f"{name}: is not judged ({why}).")


def _policies(old: Policy, new: Policy) -> Iterator[Change]:
    apart = {"gates", "not_judged"}
    held, given = (_flat(p.model_dump(mode="json", exclude=apart)) for p in (old, new))
    yield from _values(held, given, "")
    before, after = ({gate.id: gate for gate in p.gates} for p in (old, new))
    for name in [*before, *(n for n in after if n not in before)]:
        yield from _gates(before.get(name), after.get(name))
    for name in sorted(new.not_judged.keys() - old.not_judged.keys()):
        yield Change(f"{name}: is no longer judged ({new.not_judged[name]}).", loosens=True)


def _gates(old: Gate | None, new: Gate | None) -> Iterator[Change]:
    if old is None and new is not None:
        yield Change(f"{new.id}: is judged from now{'' if new.blocks else ', advisory'}.")
    elif new is None and old is not None:
        yield Change(f"{old.id}: the gate leaves.", loosens=True)
    elif old is not None and new is not None:
        if old.gate != new.gate:
            yield Change(f"{new.id}: another gate stands under this name, {new.gate} for {old.gate}.", loosens=True)
        if old.severity != new.severity:
            yield Change(f"{new.id}: {old.severity} becomes {new.severity}.", loosens=not new.blocks)
        if old.lets_absent_pass != new.lets_absent_pass:
            what = "passes" if new.lets_absent_pass else "blocks"
            yield Change(f"{new.id}: what is not applicable {what} from now.", loosens=new.lets_absent_pass)
        held, given = (_flat({**g.limits, "may_resolve": g.may_resolve}) for g in (old, new))
        yield from _values(held, given, f"{new.id}: ")


def _values(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Change]:
    for name in [*old, *(n for n in new if n not in old)]:
        before, after = old.get(name), new.get(name)
        if before != after:
            yield _value(where + name, before, after)


def _value(name: str, old: Any, new: Any) -> Change:
    last = name.rpartition(" ")[2].split(".")
    words = f"{name}: {_word(old)} becomes {_word(new)}"
    if name in TOLD_ONLY:
        return Change(f"{words}.", loosens=name == "valid_until" and new is None)
    stricter = _stricter(last, old, new)
    if stricter is None:
        return Change(f"{words}; whether that is looser is not known, so it counts as looser.", loosens=True)
    return Change(f"{words}, {'tightened' if stricter else 'loosened'}.", loosens=not stricter)


def _stricter(path: list[str], old: Any, new: Any) -> bool | None:
    """Does the new value let less through? None: its name does not say."""
    name = path[-1]
    if name == "after_expiry" or "groups" in path:
        # a group that is looked at besides is stricter; another make-up of one may hide somebody
        return bool(new == "refuse") if name == "after_expiry" else True if old is None else None
    if _listed(old) and _listed(new):
        before, after = {str(o) for o in old or ()}, {str(n) for n in new or ()}
        if name.endswith(MORE_IS_STRICTER):
            return before <= after
        return after <= before if name.endswith(FEWER_IS_STRICTER) else None
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (old, new)):
        return None  # a limit that comes or goes is no limit that moves
    if name.endswith(LOWER_IS_STRICTER):
        return bool(new < old)
    return bool(new > old) if name.endswith(HIGHER_IS_STRICTER) else None


def _people(old: Offices, new: Offices) -> Iterator[Change]:
    before, after = ({_line(p): p for p in o.people} for o in (old, new))
    for person in (before[line] for line in before if line not in after):
        yield Change(f"{_who(person)} leaves, or changes.", loosens=True)
    for person in (after[line] for line in after if line not in before):
        yield Change(f"{_who(person)} comes, or is changed to this.", loosens=True)


def _line(person: StaffMember) -> str:
    return person.model_dump_json()


def _who(person: StaffMember) -> str:
    """Without e-mails: what changes is told in places that many read."""
    who = person.account or person.name or "somebody without an account"
    more = [person.office or "no office", f"{len(person.emails)} e-mail(s)", "a key" if person.key else "no key"]
    return f"{who} ({', '.join([*more, *([f'until {person.valid_until}'] if person.valid_until else [])])})"


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in values.items():
        out |= _flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return out


def _listed(value: Any) -> bool:
    return value is None or isinstance(value, (list, tuple))


def _word(value: Any) -> str:
    if value is None:
        return "nothing"
    return ", ".join(map(str, value)) or "nothing" if isinstance(value, (list, tuple)) else str(value)
