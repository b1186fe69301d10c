"""Who says what in the synthetic world: a household's lasting mood, and single utterances with their true meaning."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from twinops.demo import texts

LANGUAGES = {
    "en": 0.86, "de": 0.03, "fr": 0.02, "es": 0.03, "it": 0.01, "pl": 0.01, "sv": 0.01, "el": 0.005, "uk": 0.01,
    "tr": 0.005, "ar": 0.005, "ja": 0.005,
}  # fmt: skip
"""Shares of the languages people mostly write in."""


@dataclass(frozen=True)
class Temper:
    """What lasts about a household: how it tends to feel about the shop, and the language it writes."""

    mood: float
    language: str


@dataclass(frozen=True)
class Utterance:
    """One utterance and its truth. `topic` is None for talk that is not about shopping."""

    text: str
    sentiment: str
    topic: str | None
    language: str
    special: bool = False
    to_brand: bool = False
    friends: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    quoted: str = ""
    attack: str = ""

    @property
    def truth(self) -> tuple[str, str, str | None, bool]:
        """What evaluation compares with."""
        return self.language, self.sentiment, self.topic, self.special


def temper(household: str, seed: int) -> Temper:
    """The household's own, whatever else is generated around it."""
    number = int.from_bytes(hashlib.sha256(household.encode()).digest()[:8], "big")
    rng = np.random.default_rng([seed, 44, number])
    return Temper(float(rng.normal(0.2, 0.9)), str(rng.choice(list(LANGUAGES), p=np.array(list(LANGUAGES.values())))))


@dataclass(frozen=True)
class Writer:
    """Puts together utterances in one person's main language."""

    rng: np.random.Generator
    language: str

    def post(self, mood: float) -> Utterance:
        """Anything: about us, about life, now and then about something nobody may use."""
        kind = self.rng.random()
        if kind < 0.04:
            return self._dressed(Utterance(self._of(texts.SPECIAL), "neutral", None, "en", special=True))
        if kind < 0.30 and self.language == "en":
            feeling = self._feeling(mood * 0.3)
            return self._dressed(Utterance(self._of(texts.CHATTER[feeling]), feeling, None, "en"))
        return self.about_us(mood)

    def about_us(self, mood: float) -> Utterance:
        """A remark on shopping with us."""
        feeling = self._feeling(mood)
        if self.language != "en" and self.rng.random() < 0.85:
            text = self._of(texts.FOREIGN[self.language][feeling])
            return self._dressed(Utterance(text, feeling, None, self.language, to_brand=self.rng.random() < 0.4))
        topic = self._of(texts.TOPICS)
        text = self._sentence(topic, feeling)
        if feeling == "negative" and self.rng.random() < 0.12:
            text = self._of(texts.SARCASM).format(said=text)
        elif feeling == "positive" and self.rng.random() < 0.12:
            text = self._of(texts.DENIED).format(said=text)
        elif self.rng.random() < 0.10:
            text = self._of(texts.MIXED).format(
                first=self._sentence(self._of(texts.TOPICS), self._feeling(-mood)), second=text
            )
        return self._dressed(Utterance(text, feeling, topic, "en", to_brand=self.rng.random() < 0.4))

    def letter(self, topic: str, mood: float) -> Utterance:
        """What somebody writes to customer service about a topic."""
        feeling = self._feeling(mood - 0.8)
        text = self._of(texts.CARE[feeling]).format(said=self._sentence(topic, feeling), thing=self._of(texts.THINGS))
        return Utterance(text, feeling, topic, "en")

    def _sentence(self, topic: str, feeling: str) -> str:
        return self._of(texts.SAID[topic][feeling]).format(thing=self._of(texts.THINGS))

    def _feeling(self, mood: float) -> str:
        weights = np.exp(np.array([mood, 0.1, -mood]))
        return ("positive", "neutral", "negative")[
            int(np.searchsorted(np.cumsum(weights / weights.sum()), self.rng.random()))
        ]

    def _dressed(self, said: Utterance) -> Utterance:
        """The same words the way people type them, with emoji, tags, friends, quotations and now and then an attack."""
        rng, text = self.rng, said.text
        if rng.random() < 0.6:
            text = text[:1].upper() + text[1:]
        if rng.random() < 0.06:
            text = text.upper()
        if rng.random() < 0.12:
            text = self._typo(text)
        if rng.random() < 0.35:
            mood = said.sentiment if rng.random() < 0.85 else self._of(tuple(texts.EMOJI))
            text = f"{text} {self._of(texts.EMOJI[mood]) * int(rng.integers(1, 3))}"
        if rng.random() < 0.05:
            text = text.replace(" ", "\u200b ", 1)
        return replace(
            said,
            text=text + self._of(("", "", ".", "!", "!!")),
            friends=(self._of(texts.FRIENDS),) if rng.random() < 0.15 else (),
            tags=(self._of(texts.TAGS),) if rng.random() < 0.2 else (),
            quoted="what my friend wrote is awful, terrible, and hers" if rng.random() < 0.04 else "",
            attack=self._of(texts.HOSTILE) if rng.random() < 0.02 else "",
        )

    def _typo(self, text: str) -> str:
        at = int(self.rng.integers(1, max(2, len(text) - 1)))
        return text[:at] + text[at + 1 :] if self.rng.random() < 0.5 else text[:at] + text[at] + text[at:]

    def _of(self, choices: Sequence[str]) -> str:
        return choices[int(self.rng.integers(len(choices)))]
