"""Own sentences of which synthetic posts, comments and letters are made, with what each means: see `texts.yaml`."""

from __future__ import annotations

from typing import Any

import yaml

from twinops.plugins import text_beside

Sentences = list[str]
_TEXTS: dict[str, Any] = yaml.safe_load(text_beside(__package__, "texts.yaml"))

SAID: dict[str, dict[str, Sentences]] = _TEXTS["said"]
TOPICS = tuple(SAID)
SARCASM: Sentences = _TEXTS["sarcasm"]
DENIED: Sentences = _TEXTS["denied"]
MIXED: Sentences = _TEXTS["mixed"]
CHATTER: dict[str, Sentences] = _TEXTS["chatter"]
SPECIAL: Sentences = _TEXTS["special"]
FOREIGN: dict[str, dict[str, Sentences]] = _TEXTS["foreign"]
CARE: dict[str, Sentences] = _TEXTS["care"]
THINGS: Sentences = _TEXTS["things"]
EMOJI: dict[str, Sentences] = _TEXTS["emoji"]
TAGS: Sentences = _TEXTS["tags"]
FRIENDS: Sentences = _TEXTS["friends"]
HOSTILE: Sentences = _TEXTS["hostile"]
