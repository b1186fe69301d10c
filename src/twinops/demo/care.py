"""Synthetic customer-service cases around households, as JSON Lines, with what was truly meant; nobody wrote to us."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from twinops.demo import texts
from twinops.demo.social import Truth, World, as_truth
from twinops.demo.social_export import Span
from twinops.demo.utterances import Utterance, Writer, temper

CASES_A_YEAR = 0.9
SPOILT = 0.02
OUTCOMES = {
    "positive": ("answered",),
    "neutral": ("answered", "withdrawn"),
    "negative": ("refunded", "voucher", "replaced", "rejected", "answered"),
}


def cases(customers: Sequence[tuple[str, str]], *, seed: int, span: Span) -> World:
    """One line per case. `customers` pairs the number a case is filed under with its household."""
    lines, truth, number = [], [], 500_000
    for place, (customer, household) in enumerate(customers):
        rng = np.random.default_rng([seed, 45, place])
        mood, writer = temper(household, seed).mood, Writer(rng, language="en")
        for _ in range(rng.poisson(CASES_A_YEAR * rng.gamma(0.7) / 0.7)):
            number += 1
            topic = texts.TOPICS[rng.integers(len(texts.TOPICS))]
            said = writer.letter(topic, mood)
            raw = _line({"customer": customer, "case_id": f"case-{number}"} | _case(said, topic, span, rng))
            spoil = SPOILERS[rng.integers(len(SPOILERS))] if rng.random() < SPOILT else None
            lines.append(spoil(raw) if spoil else raw)
            fate = "quarantine" if spoil else "enters"
            truth.append(Truth("care_cases", customer, household, f"case-{number}", fate, *said.truth))
    order = np.random.default_rng([seed, 46]).permutation(len(lines))
    return World({"care_cases.jsonl": b"".join(lines[i] + b"\n" for i in order)}, as_truth(truth))


def _case(said: Utterance, topic: str, span: Span, rng: np.random.Generator) -> dict[str, Any]:
    opened = span.first + timedelta(days=int(rng.integers(0, max(1, (span.last - span.first).days))))
    closed = opened + timedelta(days=int(rng.geometric(0.25)) - 1)
    is_open = closed > span.last
    choices = OUTCOMES[said.sentiment]
    return {
        "synthetic": True,
        "channel": ("email", "phone", "chat", "store")[rng.integers(4)],
        "category": topic if rng.random() < 0.9 else "other",
        "opened_at": f"{opened}",
        "closed_at": None if is_open else f"{closed}",
        "outcome": "open" if is_open else choices[rng.integers(len(choices))],
        "agent": "agent 7 (synthetic)",
        "callback": "+999 201 555 0100",
        "text": said.text if rng.random() < 0.9 else f"{said.text}\nReach me at me@mail.example or +999 201 555 0100",
    }


def _line(case: dict[str, Any]) -> bytes:
    return json.dumps(case, ensure_ascii=False).encode()


def _with(**changes: Any) -> Callable[[bytes], bytes]:
    return lambda raw: _line(json.loads(raw) | changes)


SPOILERS: tuple[Callable[[bytes], bytes], ...] = (
    _with(opened_at="2031-01-01"),
    _with(closed_at="2001-01-01"),
    _with(outcome="magic"),
    _with(customer=None),
    _with(text=""),
    _with(text="=1+1"),
    _with(case_id="../../etc"),
    _with(category=7),
    _with(text="a\0b"),
    lambda raw: raw[: len(raw) // 2],
    lambda raw: raw[:-1] + b',"customer":"other"}',
    lambda raw: raw[:-1] + b',"score":Infinity}',
    lambda raw: raw[:-1] + b',"x":' + b'{"x":' * 80 + b"1" + b"}" * 81,
    lambda raw: raw.replace(b'"text": "', b'"text": "\xff\xfe', 1),
    lambda raw: raw.replace(b'"text": "', b'"text": "\\udc00', 1),
    lambda raw: raw[:-1] + b',"x":"' + b"z" * 1_200_000 + b'"}',
    lambda raw: b"[" + raw + b"]",
)
