"""Find the column that says by which channel an answer holds, and ask by which of them offers are sent."""

from __future__ import annotations

from collections import Counter
from typing import Any

from twinops.data.own_sources.cell_values import is_nothing
from twinops.data.own_sources.consents.channels import WORDS, channel_of
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing.drafting import Draft, Said, Troubled, code_option, trouble
from twinops.own_kinds import CHANNEL

_MOSTLY, _MOST = 0.6, 12


def proposed(draft: Draft, said: Said) -> dict[str, Any]:
    """Take the column, and the channels that were said; of those nobody said, how to say them.

    Raises:
        Troubled: a channel that was said stands in no cell.
    """
    theirs = draft.columns.get(CHANNEL) or next((c for c in draft.free if _holds_channels(draft, c)), None)
    if theirs is None:
        return {}
    if CHANNEL not in draft.columns:
        draft.take(CHANNEL, theirs, "its cells say by what somebody is written to")
    found = Counter(c.strip() for c in draft.file.told(theirs) if not is_nothing(c))
    told = sorted(word for word, means in said.words_of(draft.name).get(CHANNEL, {}).items() if means == "yes")
    held = {channel_of(word) for word in found}
    if unknown := [word for word in told if channel_of(word) not in held]:
        what = f"{printable(theirs)} does not hold {', '.join(map(printable, unknown))}."
        ways = [code_option(f"{draft.name}.{CHANNEL}", word, "yes") for word in list(found)[:_MOST]]
        raise Troubled(trouble(draft, what, *ways[:1], mine=True))
    shares = ", ".join(f"{printable(w)} {n / found.total():.0%}" for w, n in found.most_common(_MOST))
    if told:
        draft.notes.append(
            f"Offers are sent by {', '.join(map(printable, told))}: whoever's last word on each of these in "
            f"{printable(theirs)} is a yes may get them, whatever was said of another channel."
        )
        return {"offers_by": told}
    first = found.most_common(1)[0][0]
    draft.notes.append(
        f"{printable(theirs)} says by which channel each answer holds ({shares}), and nobody said by which offers are "
        f"sent: only whoever's last word is a yes to every one of them gets any. Say each that is used, as in "
        f"{code_option(f'{draft.name}.{CHANNEL}', first, 'yes')}."
    )
    return {}


def _holds_channels(draft: Draft, theirs: str) -> bool:
    found = Counter(channel_of(c) for c in draft.file.told(theirs) if not is_nothing(c))
    known = sum(n for word, n in found.items() if word in WORDS)
    return 1 < len(found) <= _MOST and known >= _MOSTLY * found.total()
