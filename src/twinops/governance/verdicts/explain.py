"""The verdicts of a decision as text for people: short Markdown for a registry, and plain lines.

The same sentences stand in the terminal, the notebook, the pull request and the registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twinops.entities.verdict import Outcome, Verdict
from twinops.governance.gates._shelf import looked_up_later
from twinops.governance.markdown import code, escape, plain, prose
from twinops.governance.open_fields import MARK
from twinops.governance.policy.decide import LATER as AFTER
from twinops.governance.policy.decide import Decision

MAX_CHARACTERS = 4_500
"""MLflow takes 5,000 characters of description from its page; the rest is kept for links."""
GRAVE = (Outcome.FAILED, Outcome.MISSING, Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE, Outcome.PASSED)
MARKS = {"passed": "✔", "failed": "✘", "inconclusive": "?", "missing": "∅", "not applicable": "–"}
_NAMED = 12
_WIDTHS = (1_000, 400, 250, 160, 100, 60)


def headline(decision: Decision) -> str:
    """One sentence: what was decided, by which policy, and what stands in the way. Names stand in backticks."""
    if decision.promotable:
        told = f"Nothing in {policy_named(decision)} stands in the way of promotion; a person still decides."
        return " ".join(part for part in (told, _resolved_by(decision), _absent(decision)) if part)
    named = [f"`{gate}`" for gate in decision.blocking[:_NAMED]]
    others = ["others"] if len(decision.blocking) > _NAMED else []
    return f"Refused by {policy_named(decision)}. In the way: {', '.join([*named, *others])}."


def policy_named(decision: Decision) -> str:
    """The policy by its version, if somebody has named one."""
    owed = decision.policy_version.startswith(MARK)
    return "a policy that nobody has named yet" if owed else f"policy `{decision.policy_version}`"


def later(decision: Decision) -> tuple[str, ...]:
    """Gates that cannot be judged yet, because what they look at comes after what is asked: neither passed nor failed.

    They block all the same, so nothing is promoted before they were judged.
    """
    after = {*looked_up_later(), AFTER}
    return tuple(v.gate for v in decision.verdicts if v.outcome is Outcome.MISSING and v.next in after)


def headline_so_far(decision: Decision) -> str:
    """As `headline`, with what is judged only later told apart from what stands in the way."""
    waiting = later(decision)
    if not waiting:
        return headline(decision)
    now = replace(decision, blocking=tuple(gate for gate in decision.blocking if gate not in waiting))
    nothing = f"Nothing judged so far stands in the way in {policy_named(now)}."
    told = headline(now) if now.blocking else nothing
    named = ", ".join(f"`{gate}`" for gate in waiting)
    return f"{told} Judged only after this was written, so neither passed nor failed yet: {named}."


def figures(found: Any) -> str:
    """Value with its interval and how many it rests on; a dash when there is no value."""
    if found.value is None:
        return "-"
    bounds = "" if found.low is None or found.high is None else f" [{short(found.low)}, {short(found.high)}]"
    return f"{short(found.value)}{bounds}{'' if found.n is None else f' (n={found.n:,})'}"


def short(value: Any) -> str:
    """A limit or figure, short."""
    return "-" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def in_order(decision: Decision) -> list[Verdict]:
    """What does not pass first."""
    return sorted(decision.verdicts, key=lambda v: GRAVE.index(v.outcome))


def verdicts_text(decision: Decision) -> str:
    """Plain lines: gate, outcome, sentence, rule and what to do next."""
    return "\n".join([headline(decision), *(_plain_lines(v, decision) for v in decision.verdicts)]) + "\n"


def verdicts_markdown(decision: Decision, *, links: Mapping[str, str] | None = None) -> str:
    """At most 4,500 characters, links included. Long sentences are cut, gates that do not pass come first."""
    tail = _links(links or {})
    for width in _WIDTHS:
        text = _fitted(decision, in_order(decision), width) + tail
        if len(text) <= MAX_CHARACTERS:
            return text
    return _shortened(decision, tail)


def _resolved_by(decision: Decision) -> str:
    named = [f"`{r.gate}` by {r.by}" for r in decision.rulings if r.counts]
    return f"Resolved in writing: {', '.join(named)}." if named else ""


def _absent(decision: Decision) -> str:
    named = [f"`{gate}`" for gate in decision.not_applicable]
    return f"Not applicable here: {', '.join(named)}." if named else ""


def _plain_lines(verdict: Verdict, decision: Decision) -> str:
    written = "".join(f"\n    written: {plain(s.sentence)}" for s in decision.about(verdict.gate))
    later = f"\n    next: {verdict.next}" if verdict.next else ""
    judged = f"\n    value: {figures(verdict)}, limit {short(verdict.limit)}" if verdict.value is not None else ""
    cited = f" [{verdict.evidence}]" if verdict.evidence else ""
    told = f"{verdict.gate}: {verdict.outcome.value.upper()}: {plain(verdict.sentence)}{cited}"
    return f"{told}{judged}\n    rule: {verdict.rule}{written}{later}"


def _fitted(decision: Decision, verdicts: list[Verdict], width: int) -> str:
    lines = [f"**{prose(headline(decision))}**", "", *(_bullet(v, decision, width) for v in verdicts)]
    return "\n".join(lines) + "\n"


def _bullet(verdict: Verdict, decision: Decision, width: int) -> str:
    cited = f" [{verdict.evidence}]" if verdict.evidence else ""
    written = "".join(f" *Written:* {escape(_cut(s.sentence, width))}" for s in decision.about(verdict.gate))
    later = f" *Next:* {prose(_cut(verdict.next, width))}" if verdict.next else ""
    told = f"- **{verdict.outcome.value}** {code(verdict.gate)}: {prose(_cut(verdict.sentence, width))}{cited}"
    return f"{told}{written}{later}"


def _shortened(decision: Decision, tail: str) -> str:
    verdicts = in_order(decision)
    while verdicts:
        verdicts = verdicts[: len(verdicts) // 2]
        more = f"\n… and {len(decision.verdicts) - len(verdicts)} more gates; see the model card.\n"
        text = _fitted(decision, verdicts, _WIDTHS[-1]) + more + tail
        if len(text) <= MAX_CHARACTERS:
            return text
    return text[:MAX_CHARACTERS]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def _links(links: Mapping[str, str]) -> str:
    shown = [f"[{escape(name)}]({_address(where)})" for name, where in links.items()]
    return "\n" + " · ".join(shown) + "\n" if shown else ""


def _address(where: str) -> str:
    return (
        plain(where).replace("(", "%28").replace(")", "%29").replace("<", "%3C").replace(">", "%3E").replace(" ", "%20")
    )
