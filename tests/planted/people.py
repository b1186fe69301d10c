"""Faults in what people said: empty and copied answers, days, signatures, persons and keys."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any

import yaml

from planted import words
from planted.desk import Desk, file_of
from planted.trial import Fault
from twinops.governance.assessment import answers
from twinops.governance.assessment.answers import ADVICE, DECISION
from twinops.governance.assessment.substance import WORDS
from twinops.governance.people.offices import DATA_OWNER, DPO, OFFICES
from twinops.governance.policy import resolution

OFFICES_FILE = "compliance/offices.yaml"
RULINGS = "compliance/rulings"
Said = dict[tuple[str, str], str]


def faults(desk: Desk, rng: random.Random) -> Iterator[Fault]:
    yield from chain(_empty(desk, rng), _copied(desk, rng), _by_hand(desk), _days(desk), _rulings(desk, rng))
    yield from chain(_signatures(desk), _replayed(desk), _authors(desk), _offices(desk, rng))


def said(desk: Desk) -> Said:
    """Every part in words of every answer."""
    return {
        (name, part): text
        for name in desk.asked
        for part, text in desk.given(name).answer.items()
        if part in WORDS and isinstance(text, str) and (name, part) != (DECISION, "answer")
    }


def _answer(name: str, part: str, what: tuple[str, str], kind: str) -> Fault:
    def plant(desk: Desk) -> None:
        desk.answered(name, answer={**desk.given(name).answer, part: what[1]})

    return Fault(kind, f"{name}, {part}", what[0], plant)


def _empty(desk: Desk, rng: random.Random) -> Iterator[Fault]:
    for (name, part), text in said(desk).items():
        for what in words.empty(text, rng):
            yield _answer(name, part, what, "an answer that says nothing, signed")
        for what in words.some(list(words.placeholders()), rng, 4):
            yield _answer(name, part, what, "an answer of placeholder text, signed")


def _copied(desk: Desk, rng: random.Random) -> Iterator[Fault]:
    every = said(desk)
    for name, part in every:
        given = desk.given(name)
        other = rng.choice([k for k in every if k != (name, part)])
        questions = [n for n in desk.asked if n != name]
        another = rng.choice(questions)
        copies = [*words.copies(every[other], " ".join(other), rng), words.lengthened(every[other], " ".join(other))]
        for what in words.some(copies, rng, 6):
            yield _answer(name, part, what, "an answer copied from another, signed")
        for what in words.some(list(words.copies(given.question, "the question", rng)), rng, 4):
            yield _answer(name, part, what, "an answer copied from a question, signed")
        for what in words.some(
            list(words.copies(desk.given(another).question, f"the question of {another}", rng)), rng, 2
        ):
            yield _answer(name, part, what, "an answer copied from a question, signed")


def _by_hand(desk: Desk) -> Iterator[Fault]:
    """Changed in the file, nothing else."""

    def fault(name: str, what: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
        return Fault("an answer changed by hand", file_of(name), what, lambda d: d.edit(file_of(name), change))

    for name in desk.asked:
        yield fault(name, "another question", lambda raw: {**raw, "question": raw["question"] + " Or not?"})
        yield fault(name, "without its question", lambda raw: {k: v for k, v in raw.items() if k != "question"})
        yield fault(name, "without its digest", lambda raw: {k: v for k, v in raw.items() if k != "digest"})
        yield fault(name, "a word more", lambda raw: {**raw, "answer": _more(raw["answer"])})
        yield fault(name, "a part less", lambda raw: {**raw, "answer": dict(list(raw["answer"].items())[1:])})
        yield fault(name, "a part that nobody asks", lambda raw: {**raw, "answer": {**raw["answer"], "note": "seen"}})
        yield fault(name, "nobody's", lambda raw: {**raw, "by": ""})
        yield fault(name, "another field's", lambda raw, n=name: {**raw, "field": _other(desk, n)})
        yield Fault("an answer changed by hand", file_of(name), "the file is gone", partial(_gone, file_of(name)))
        yield Fault(
            "an answer changed by hand", file_of(name), "the file is empty", lambda d, n=name: d.put(file_of(n), "")
        )
    for name in (ADVICE, DECISION):
        yield fault(name, "given for nothing", lambda raw: {k: v for k, v in raw.items() if k != "given_for"})
    yield Fault(
        "an answer changed by hand",
        "compliance/dpia/assessed.json",
        "gone",
        partial(_gone, "compliance/dpia/assessed.json"),
    )


def _more(answer: dict[str, Any]) -> dict[str, Any]:
    part = next(k for k, v in answer.items() if isinstance(v, str))
    return {**answer, part: f"{answer[part]} Indeed."}


def _other(desk: Desk, name: str) -> str:
    return next(n for n in desk.asked if n != name)


def _gone(path: str, desk: Desk) -> None:
    (desk.root / path).unlink()


# ---- days


def _days(desk: Desk) -> Iterator[Fault]:
    today = today_()
    for name in desk.asked:
        for days in (1, 2, 31, 365, 3650):
            yield _dated(name, today + timedelta(days), f"{days} days ahead", "a day that has not come, signed")
        for years in (2, 5, 30):
            yield _dated(
                name,
                today.replace(day=1, year=today.year - years),
                f"{years} years ago",
                "a day before the question, signed",
            )
        for odd in ("2026-02-30", "0000-00-00", "yesterday", "", None, 20261128, "2026-11-28T10:00:00", [today]):
            yield Fault("a day that is none", file_of(name), f"dated {odd!r}", partial(_odd_day, name, odd))
    for name in [n for n in desk.asked if n not in (ADVICE, DECISION)]:
        yield Fault("days in the wrong order, signed", name, f"{ADVICE} and {DECISION} come before it",
                    partial(_earlier, (ADVICE, DECISION), 3))  # fmt: skip
    yield Fault("days in the wrong order, signed", DECISION, f"before {ADVICE}", partial(_earlier, (DECISION,), 1))
    yield Fault("days in the wrong order, signed", ADVICE, "before the answers", partial(_earlier, (ADVICE,), 1))


def _dated(name: str, day: date, what: str, kind: str) -> Fault:
    return Fault(kind, name, what, lambda desk: desk.answered(name, dated=day))


def _odd_day(name: str, odd: Any, desk: Desk) -> None:
    desk.edit(file_of(name), lambda raw: {**raw, "dated": odd})


def _earlier(names: tuple[str, ...], days: int, desk: Desk) -> None:
    for name in names:
        desk.answered(name, dated=desk.given(name).dated - timedelta(days))


# ---- rulings


def _rulings(desk: Desk, rng: random.Random) -> Iterator[Fault]:
    for path in sorted((desk.root / RULINGS).glob("*.yaml")):
        where = path.relative_to(desk.root).as_posix()
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        copied = [(f"copied from {' '.join(name)}", text) for name, text in said(desk).items()]
        for what, text in [*words.empty(raw["reason"], rng), *words.placeholders(), *copied]:
            plant = partial(_ruled, where, {"reason": text})
            yield Fault("a ruling without a reason, signed", where, what, plant)
        for changes in _elsewhere(raw["dated"]):
            told = ", ".join(f"{k} {v}" for k, v in changes.items())
            yield Fault("a ruling for something else, signed", where, told, partial(_ruled, where, changes))
            yield Fault("a ruling changed by hand", where, told, partial(_ruled_by_hand, where, changes))


def _elsewhere(dated: date) -> tuple[dict[str, Any], ...]:
    """Another time, candidate, evidence, answer, gate, office or author."""
    today = today_()
    return (
        {"dated": today + timedelta(1)}, {"until": today - timedelta(1)}, {"until": today + timedelta(400)},
        {"until": dated - timedelta(1)}, {"dated": dated - timedelta(400)}, {"until": "never"},
        {"candidate": "0" * 64}, {"evidence": "ev-000000000000"}, {"answer": "failed"}, {"gate": "dpia"},
        {"gate": "fairness"}, {"role": DPO}, {"role": DATA_OWNER}, {"role": "chief executive"}, {"by": "Nobody Known"},
    )  # fmt: skip


def _ruled(where: str, changes: dict[str, Any], desk: Desk) -> None:
    desk.ruled(where, **changes)


def _ruled_by_hand(where: str, changes: dict[str, Any], desk: Desk) -> None:
    desk.edit(where, lambda raw: {**raw, **changes})


# ---- signatures


def _signed(desk: Desk) -> dict[str, tuple[str, str]]:
    """Every signed file with its namespace and the office that signs it."""
    given = {file_of(n): (answers.NAMESPACE, office) for n, office in desk.asked.items()}
    for path in sorted((desk.root / RULINGS).glob("*.yaml")):
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        given[path.relative_to(desk.root).as_posix()] = (resolution.NAMESPACE, raw["role"])
    return given


def _signatures(desk: Desk) -> Iterator[Fault]:
    kind = "a signature removed, broken or another's"
    for path, (namespace, office) in _signed(desk).items():
        sig = f"{path}.sig"
        for what, change in SPOILT.items():
            yield Fault(kind, sig, what, lambda d, s=sig, c=change: d.put(s, c(d.text(s))))
        yield Fault(kind, sig, "removed", partial(_gone, sig))
        for other in (*[o for o in OFFICES if o != office], "stranger"):
            yield Fault(kind, sig, f"made with the key of {other}", partial(_signed_by, path, namespace, other))
        yield Fault(kind, sig, "made for another purpose", partial(_signed_by, path, "twinops-bundle", office))
        yield Fault(kind, sig, "made for git", partial(_signed_by, path, "git", office))


def _signed_by(path: str, namespace: str, office: str, desk: Desk) -> None:
    desk.sign(path, desk.keys.get(office, desk.stranger), namespace=namespace)


SPOILT: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "cut off": lambda text: text[: len(text) // 2],
    "one letter changed": lambda text: text[:80] + ("A" if text[80] != "A" else "B") + text[81:],
    "words in front": lambda text: f"I approve.\n{text}",
    "words behind": lambda text: f"{text}\nI approve.\n",
    "twice": lambda text: text + text,
}


def _replayed(desk: Desk) -> Iterator[Fault]:
    signed = list(_signed(desk))
    for path in signed:
        for other in [o for o in signed if o != path][::3]:
            yield Fault("a signature of another file", f"{path}.sig", f"that of {other}",
                        lambda d, p=path, o=other: d.put(f"{p}.sig", d.text(f"{o}.sig")))  # fmt: skip


# ---- persons


def _authors(desk: Desk) -> Iterator[Fault]:
    people = {desk.given(n).by for n in desk.asked}
    for name in desk.asked:
        by = desk.given(name).by
        for other in [*sorted(people - {by}), *_alike(by), "The Board"]:
            yield Fault(
                "an answer under another's name, signed",
                name,
                f"by {other!r}",
                lambda d, n=name, o=other: d.answered(n, by=o),
            )


def _alike(name: str) -> list[str]:
    first, last = name.split(" ", 1) if " " in name else (name, "Same")
    return [
        name.translate(words.CYRILLIC), f"{first}  {last}", name.upper(), f"{first}{words.NBSP}{last}",
        f"{first}{words.ZERO} {last}", f"{name} ", f"{first} {last}{words.ACUTE}", f"{first} X. {last}", f"Dr. {name}",
    ]  # fmt: skip


def _offices(desk: Desk, rng: random.Random) -> Iterator[Fault]:
    people = [p for p in yaml.safe_load(desk.text(OFFICES_FILE))["people"] if p.get("key")]
    for place, person in enumerate(people):
        for what, change in _changed_person(desk, person, people[place - 1]).items():
            yield Fault("persons, offices or keys changed", OFFICES_FILE, f"{person['name']}: {what}",
                        lambda d, n=person["name"], c=change: d.edit(OFFICES_FILE, partial(_person, n, c)))  # fmt: skip
    yield from _two_hats(desk, people)


def _changed_person(desk: Desk, person: dict[str, Any], other: dict[str, Any]) -> dict[str, Callable[[Any], Any]]:
    stranger = (desk.stranger.with_suffix(".pub")).read_text(encoding="utf-8").strip()
    ago = today_() - timedelta(1)
    return {
        "is gone": lambda p: None,
        "has no key": lambda p: _less(p, "key"),
        "has another key": lambda p: {**p, "key": stranger},
        "has another's key": lambda p: {**p, "key": other["key"]},
        "has another's e-mail": lambda p: {**p, "emails": other["emails"]},
        "has another's name": lambda p: {**p, "name": other["name"]},
        "has another's office": lambda p: {**p, "office": other["office"]},
        "has no office": lambda p: _less(p, "office"),
        "has an office that is none": lambda p: {**p, "office": "chief executive"},
        "has no name": lambda p: _less(p, "name"),
        "has no e-mail": lambda p: _less(p, "emails"),
        "held it until yesterday": lambda p: {**p, "valid_until": ago},
        "held it until a day that is none": lambda p: {**p, "valid_until": "2026-02-30"},
        "has a key that is none": lambda p: {**p, "key": "ssh-ed25519 AAAA"},
        "has two offices": lambda p: {**p, "office": [person["office"], other["office"]]},
    }


def today_() -> date:
    """As the product's clock has it."""
    return datetime.now(UTC).date()


def _less(person: dict[str, Any], part: str) -> dict[str, Any]:
    return {k: v for k, v in person.items() if k != part}


def _person(name: str, change: Callable[[Any], Any], raw: dict[str, Any]) -> dict[str, Any]:
    changed = [change(p) if p.get("name") == name else p for p in raw["people"]]
    return {**raw, "people": [p for p in changed if p is not None]}


def _two_hats(desk: Desk, people: list[dict[str, Any]]) -> Iterator[Fault]:
    """One person in two conflicting offices, the second time with a name, an address or a key of another spelling."""
    for one in people:
        for other in [p for p in people if p is not one]:
            for alias in [one["name"], *_alike(one["name"])]:
                yield Fault("one person in two conflicting offices, signed", OFFICES_FILE,
                            f"{one['name']} is {other['office']} too, as {alias!r}",
                            partial(_hat, one, other, {"name": alias}))  # fmt: skip
            for email in _same_mailbox(one["emails"][0]):
                yield Fault("one person in two conflicting offices, signed", OFFICES_FILE,
                            f"{one['name']} is {other['office']} too, at {email!r}",
                            partial(_hat, one, other, {"emails": [email]}))  # fmt: skip
            yield Fault("one key in two conflicting offices, signed", OFFICES_FILE,
                        f"{other['name']} signs as {other['office']} with the key of {one['name']}",
                        partial(_hat, one, other, {"key": one["key"]}))  # fmt: skip
            yield Fault("one key in two conflicting offices, signed", OFFICES_FILE,
                        f"the same, the key with another comment: {one['name']}, {other['office']}",
                        partial(_hat, one, other, {"key": f"{one['key']} somebody@else"}))  # fmt: skip


def _same_mailbox(email: str) -> list[str]:
    name, _, host = email.partition("@")
    return [email, email.upper(), f"{name}+dpo@{host}", f"{name}@{host}.", f"{name.translate(words.CYRILLIC)}@{host}"]


def _hat(one: dict[str, Any], other: dict[str, Any], changes: dict[str, Any], desk: Desk) -> None:
    """The line of `other` becomes this; what that office answered is given anew under it, with the key it now has."""
    line = {**other, **changes}
    desk.edit(OFFICES_FILE, partial(_person, other["name"], lambda p: line))
    keys = dict(desk.keys)
    if "key" in changes:
        desk.keys = {**keys, other["office"]: keys[one["office"]]}
    try:
        for name in [n for n, office in desk.asked.items() if office == other["office"]]:
            desk.answered(name, by=line["name"])
        for path in sorted((desk.root / RULINGS).glob("*.yaml")):
            if yaml.safe_load(path.read_text(encoding="utf-8"))["role"] == other["office"]:
                desk.ruled(path.relative_to(desk.root).as_posix(), by=line["name"])
    finally:
        desk.keys = keys
