"""The impact assessment in sentences: what a person reads of each content. Every field in full stands in `dpia.json`.

What people answered is quoted whole; what gates measured is told in the words of their verdicts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from twinops.entities.fact import Fact
from twinops.entities.verdict import Verdict
from twinops.entities.wording import MANY, MANY_FIRST
from twinops.governance.assessment import questions as dpia
from twinops.governance.assessment.approval import LAPSED, OPEN, REOPENED, STANDS
from twinops.governance.citations import cite, said
from twinops.governance.documents._evidence import CitedEvidence
from twinops.governance.documents._tables import called, figure
from twinops.governance.gates._shelf import of
from twinops.governance.law.consumer_law import asked
from twinops.governance.markdown import escape, prose
from twinops.governance.open_fields import is_said
from twinops.governance.verdicts.brief import first_words
from twinops.governance.verdicts.explain import policy_named
from twinops.governance.words import days, words

UNNAMED = "Which decision it serves, and for whom, is not said yet"
WIDTH, TEXT = 320, 1_200
"""Characters of a verdict and of a declared text; longer ones are cut at a word, and stand in full in the record."""
RISKS = {
    "singling_out_risk": "singling somebody out",
    "linkability_risk": "linking two of their records",
    "inference_risk": "guessing an attribute",
}
STATES = {
    STANDS: "stands for what is described here",
    REOPENED: "is reopened, because what it was given for has changed",
    LAPSED: "has lapsed, because it does not fit its own files",
    OPEN: "is not given",
}


@dataclass(frozen=True)
class Asked:
    """One judgement: what was asked of whom, and what they said; `answer` empty: not answered."""

    question: str
    who: str
    by: str
    dated: str
    answer: str
    cited: Markup


@dataclass(frozen=True)
class SourceLine:
    """A source as a row: by name and controller, from whom, under which notice, on what basis, how long."""

    name: str
    origin: str
    notice: str
    bases: str
    kept: Markup


@dataclass(frozen=True)
class Prose(CitedEvidence):
    """What the template may ask for beside."""

    def status(self) -> Markup:
        """Whether the approval stands, and what speaks against it."""
        fact = self.evidence.fact("dpia.review")
        review = fact.value if fact and isinstance(fact.value, dict) else {}
        against = [*_list(review.get("reasons")), *(_differs(t) for t in _list(review.get("triggers")))]
        since = (
            f", given by {review.get('decided_by')} on {review.get('decided_on')}" if review.get("decided_by") else ""
        )
        told = f"The approval{since} {STATES.get(str(review.get('state')), 'was not looked up')}"
        return _told(f"{told}{': ' if against else '.'}{'; '.join(map(str, against))}", fact)

    def policy(self) -> Markup:
        """Under which policy it was judged."""
        return prose(policy_named(self.decision))

    def signers(self) -> Markup:
        """Whose signatures count, and how many do not."""
        fact = self.evidence.fact("dpia.signatures")
        signed = fact.value if fact and isinstance(fact.value, dict) else {}
        by = Counter(str(s.get("by")) for s in signed.values() if isinstance(s, dict) and s.get("counts") is True)
        void = len(signed) - sum(by.values())
        told = ", ".join(f"{n} by {who}" for who, n in sorted(by.items())) or "none"
        return _told(f"Signatures that count: {told}{f'; {void} do not' if void else ''}.", fact)

    def open_by(self) -> dict[str, Markup]:
        """How many judgements are open, by whom they are asked of."""
        left: dict[str, list[Fact]] = {}
        owed = self._owed()
        for fact in self.evidence.facts:
            if fact.name in owed and (asked := _asked(fact)) and not asked.answer:
                left.setdefault(asked.who, []).append(fact)
        return {
            who: said(f"{len(facts)} question{'s' if len(facts) > 1 else ''}", *facts) for who, facts in left.items()
        }

    def _owed(self) -> set[str]:
        """Facts of the judgements that are needed now."""
        record = dpia.from_evidence(self.evidence)
        return {f"dpia.human.{name}" for name in record[1].asked()} if record else set()

    def sentences(self, content: dict[str, Any]) -> tuple[Markup, ...]:
        """What was declared, then what was measured."""
        own = _OWN.get(content["id"])
        told = own(self) if own else self._declared(content)
        return (*told, *self._verdicts(content["id"]))

    def asked(self, content: dict[str, Any]) -> tuple[Asked, ...]:
        """What people were asked here, and said."""
        fields = [f for f in content["fields"] if f["kind"] == "human" and f["evidence"]]
        found = [_asked(fact) for f in fields if (fact := self.evidence.fact(f["id"]))]
        return tuple(one for one in found if one)

    def sources_table(self) -> tuple[SourceLine, ...]:
        """Every declared source."""
        usual = tuple(words(self.value(*at)) for at in _USUAL)
        return tuple(_source(fact, usual) for fact in self.sources())

    def _declared(self, content: dict[str, Any]) -> Iterator[Markup]:
        """Texts as they were declared; a table in words."""
        names = [f["id"] for f in content["fields"] if f["kind"] == "declared" and f["evidence"]]
        for fact in (self.evidence.fact(name) for name in names):
            if fact is not None:
                yield said(_sentence(first_words(words(fact.value), TEXT)), fact)

    def _verdicts(self, content: str) -> Iterator[Markup]:
        """In the words of the gates that judge by what speaks to this content."""
        for verdict in self.decision.verdicts:
            spoken = [item for item in of(verdict, "SPEAKS_TO") or {} if item.startswith("dpia.")]
            if f"dpia.{content}" in spoken:
                yield _verdict(verdict, again=spoken[0] != f"dpia.{content}")

    def need(self) -> Iterator[Markup]:
        """Whether an assessment is needed, and what other law says."""
        need, act = self.evidence.table("dpia.need"), self.evidence.fact("ai_act_classification")
        if need:
            told = [f"An assessment is needed ({need.get('rule')}). Met: {words(need.get('met'))}."]
            told += [f"Not yet answered: {words(need.get('open'))}."] if need.get("open") else []
            yield _told(" ".join(told), self.evidence.fact("dpia.need"))
        if self.value("dpia.synthetic_controller") is True:
            yield _told(
                "The controller is invented: this is a demonstration.", self.evidence.fact("dpia.synthetic_controller")
            )
        if act and isinstance(act.value, dict):
            kind = str(act.value.get("class")).replace("_", " ")
            yield said(f"Under the AI Act the declared use is {kind}: {act.value.get('means')}.", act)
        duties = self.evidence.fact("consumer_law_duties")
        for duty in _list(duties.value if duties else None):
            if duties and isinstance(duty, dict):
                yield said(
                    f"{duty.get('cite')} asks: {asked(duty)} (applies here: {words(duty.get('holds'))}).", duties
                )

    def actors(self) -> Iterator[Markup]:
        """Who decides, helps and receives."""
        fact = self.evidence.fact("dpia.declared.actors")
        a = fact.value if fact and isinstance(fact.value, dict) else {}
        if fact and a:
            who = f"{words(a.get('controller'))} answers for the processing (contact: {words(a.get('contact'))};"
            helps = f"Processors: {words(a.get('processors'))}. Recipients: {words(a.get('recipients'))}."
            yield said(f"{who} data protection officer: {words(a.get('dpo_contact'))}). {helps}", fact)

    def description(self) -> Iterator[Markup]:
        """What happens, what is decided with it, and of how many households."""
        yield from self._texts("dpia.declared.description")
        fact, panel = self.evidence.fact("intended_use.decision"), self.evidence.fact("population.panel")
        d = fact.value if fact and isinstance(fact.value, dict) else {}
        if fact and d:
            how = f"solely automated: {words(d.get('solely_automated'))}; legal or similarly significant effect:"
            how += f" {words(d.get('legal_or_similarly_significant_effect'))}"
            name, effect, contest = (_as_said(d.get(part)) for part in ("name", "effect", "contest"))
            whom = _as_said(d.get("population"), "customers whom nobody has named yet")
            told = f"It serves one decision, the {name}, for {whom} ({how})." if name else f"{UNNAMED} ({how})."
            effect = effect or "What it does to them is not said yet."
            contest = f"To contest it: {contest}" if contest else "How it can be contested is not said yet."
            yield said(f"{told} {effect} {contest}", fact)
        if panel and isinstance(panel.value, dict):
            p = panel.value
            rows = f"{words(p.get('rows'))} rows on {words(p.get('as_of_days'))} as-of days"
            yield said(f"It rests on {words(p.get('households'))} {MANY}, {rows}.", panel)

    def purposes(self) -> Iterator[Markup]:
        """Each purpose with its basis, then what is none."""
        fact, barred = self.evidence.fact("intended_use.purposes"), self.evidence.fact("intended_use.not_for")
        for name, one in sorted(self.evidence.table("intended_use.purposes").items()):
            if fact and isinstance(one, dict):
                basis = _as_said(one.get("legal_basis")).replace("_", " ") or self._of_sources(name)
                why = _as_said(one.get("why"), "what for is not said yet.")
                yield said(f"{name.replace('_', ' ').capitalize()}, on {basis}: {why}", fact)
        if barred:
            uses = [use for use in _list(barred.value) if is_said(str(use))]
            told = f"It is not for: {'; '.join(map(str, uses))}." if uses else "What it is not for is not said yet."
            yield said(told, barred)
        secondary = self.evidence.fact("dpia.declared.secondary_use")
        if secondary and secondary.value is not None:
            yield said(f"Secondary uses: {words(secondary.value)}.", secondary)

    def _of_sources(self, purpose: str) -> str:
        """The basis of a purpose whose own is open, as its sources say it."""
        found = {str((f.value.get("bases") or {}).get(purpose, "open")) for f in self.sources()} - {"open"}
        told = " or ".join(sorted(b.replace("_", " ") for b in found))
        return f"{told}, as its sources say" if told else "a basis that is not said yet"

    def retention(self) -> Iterator[Markup]:
        """What is declared, whether the data keep to it, and what people decided of what was proposed."""
        yield from self._texts("dpia.declared.retention")
        fact, review = self.evidence.fact("retention"), self.evidence.fact("retention_review")
        ages = fact.value if fact and isinstance(fact.value, dict) else {}
        told_of = {name: age.get("within", False) if isinstance(age, dict) else False for name, age in ages.items()}
        over = sorted(name for name, within in told_of.items() if within is False)
        unsaid = sorted(name for name, within in told_of.items() if within is None)
        if fact:
            told = (
                f"Older than they may be: {', '.join(over)}."
                if over
                else f"None of the {len(ages)} sources whose rows carry a day holds one that is older than it may be."
            )
            told += f" Nobody has said how long these are kept: {', '.join(unsaid)}." if unsaid else ""
            yield said(told.replace("_", " "), fact)
        if review and isinstance(review.value, dict):
            yield said(f"Proposals to keep less: {review.value.get('told')}.", review)

    def notice(self) -> Iterator[Markup]:
        """Which notice, and what it says of data that come from elsewhere."""
        fact = self.evidence.fact("dpia.declared.notice")
        n = fact.value if fact and isinstance(fact.value, dict) else {}
        if fact and n:
            told = f"{MANY_FIRST} were told by {words(n.get('version'))}, issued {words(n.get('issued'))}."
            yield said(f"{told} {words(n.get('not_collected_from_the_person'))} {words(n.get('obligation'))}", fact)

    def security(self) -> Iterator[Markup]:
        """Measures that are in place, and those that are planned."""
        fact = self.evidence.fact("dpia.declared.security_measures")
        rows = [m for m in _list(fact.value if fact else None) if isinstance(m, dict)]
        for status, leads in (("implemented", "In place"), ("planned", "Planned, not in place")):
            named = [f"{m.get('title')} ({m.get('owner')})" for m in rows if m.get("status") == status]
            if fact and named:
                yield said(f"{leads}: {'; '.join(named)}.", fact)
        yield from self._breaches()

    def _breaches(self) -> Iterator[Markup]:
        fact = self.evidence.fact("dpia.declared.incidents")
        for one in _list(fact.value if fact else None):
            if fact and isinstance(one, dict):
                what = f"On {one.get('dated')}: {one.get('what')} Consequence: {one.get('consequence')}"
                yield said(f"{what} Remedy: {one.get('remedy')}", fact)

    def attacks(self) -> Iterator[Markup]:
        """How far attacks on tables that may leave succeed above guessing."""
        for name, leads in RISKS.items():
            found = [m for m in self.evidence.measures if m.name == name or m.name.startswith(f"{name}.")]
            told = [f"{figure(m)} in {_table_of(m.name)}" for m in found]
            if found:
                yield said(f"Attacks at {leads} succeed above guessing with a risk of {'; '.join(told)}.", *found)

    def inventory(self) -> Iterator[Markup]:
        """What is declared of the data, and what was put aside at the door."""
        yield from self._texts("dpia.declared.data_inventory")
        fact = self.evidence.fact("quarantined")
        counts = fact.value if fact and isinstance(fact.value, dict) else {}
        some = [f"{n} of {source.replace('_', ' ')}" for source, n in sorted(counts.items()) if n]
        if fact and some:
            yield said(f"Rows that broke a rule were put aside: {', '.join(some)}.", fact)

    def minimisation(self) -> Iterator[Markup]:
        """What was tried without, and whether it was missed."""
        fact = self.evidence.fact("necessity")
        tests = fact.value.get("tests") if fact and isinstance(fact.value, dict) else ()
        found: dict[str, dict[str, list[str]]] = {}
        for test in (t for t in _list(tests) if isinstance(t, dict) and t.get("kind") == "attribute"):
            of = found.setdefault(_known_for(test.get("history_days")), {})
            of.setdefault(str(test.get("outcome")), []).append(str(test.get("unit")).replace("_", " "))
        if fact is None or not found:
            return
        yield said("Predictions of spend were tried with and without each attribute.", fact)
        for whom, of in found.items():
            told = "; ".join(f"{outcome}: {', '.join(units)}" for outcome, units in sorted(of.items()))
            yield said(f"{whom}, {told}.", fact)

    def by_design(self) -> Iterator[Markup]:
        """Protection by design and by default."""
        yield from self._texts("dpia.declared.by_design", "dpia.declared.minimisation")

    def _texts(self, *names: str) -> Iterator[Markup]:
        for fact in map(self.evidence.fact, names):
            if fact is not None and fact.value is not None:
                yield said(_sentence(first_words(words(fact.value), TEXT)), fact)


_OWN: Mapping[str, Callable[[Prose], Iterator[Markup]]] = {
    "need": Prose.need,
    "actors": Prose.actors,
    "description": Prose.description,
    "data_inventory": Prose.inventory,
    "purposes": Prose.purposes,
    "minimisation": Prose.minimisation,
    "retention": Prose.retention,
    "notice": Prose.notice,
    "by_design": Prose.by_design,
    "security_measures": Prose.security,
    "risk_incident": Prose.attacks,
}
"""Contents that are more than a declared text; any other is told as it was declared."""


def _asked(fact: Fact) -> Asked | None:
    value = fact.value
    if not isinstance(value, dict):
        return None
    about = {part: words(value.get(part)) if value.get(part) is not None else "" for part in ("by", "dated")}
    parts = {p: v for p, v in value.items() if p not in ("who", "question", "by", "dated") and v is not None}
    answer = words(next(iter(parts.values()))) if set(parts) == {"answer"} else words(parts)
    return Asked(
        question=str(value.get("question")),
        who=str(value.get("who")),
        answer=answer if parts and about["by"] else "",
        cited=cite(fact),
        **about,
    )


_USUAL = (("intended_use.controller", "name"), ("dpia.declared.notice", "version"))
"""Controller and notice of the processing: not named again at each source that has them."""


def _source(fact: Fact, usual: tuple[str, ...]) -> SourceLine:
    value = fact.value
    whose, notice = (words(value.get(part)) for part in ("controller", "notice"))
    bases = value.get("bases")
    grouped: dict[str, list[str]] = {}
    for purpose, basis in sorted(bases.items()) if isinstance(bases, dict) else ():
        grouped.setdefault(str(basis).replace("_", " "), []).append(str(purpose).replace("_", " "))
    return SourceLine(
        name=called(fact).replace("_", " ") + ("" if whose == usual[0] else f", of {whose}"),
        origin=words(value.get("collected_from")),
        notice="the common one" if notice == usual[1] else notice,
        bases="; ".join(f"{basis} for {', '.join(purposes)}" for basis, purposes in grouped.items()),
        kept=said(days(value.get("retention_days")), fact),
    )


def _verdict(verdict: Verdict, *, again: bool) -> Markup:
    """A verdict's sentence, once; one without evidence is only named."""
    name = Markup("*{}*, {}").format(escape(_sentence(verdict.gate.replace("_", " "), "")), verdict.outcome.value)
    if verdict.evidence is None:
        return Markup("{}: not judged in this evidence.").format(name)
    told = "as told above." if again else prose(first_words(verdict.sentence, WIDTH))
    return Markup("{}: {} [{}]").format(name, told, verdict.evidence)


def _told(text: str, fact: Fact | None) -> Markup:
    return said(text, fact) if fact else Markup("**not in this evidence.**")


def _sentence(text: str, stop: str = ".") -> str:
    """With a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '…', '?', '!')) else stop}"


def _differs(trigger: Any) -> str:
    return f"{trigger.get('trigger')}: {trigger.get('differs')}" if isinstance(trigger, dict) else str(trigger)


def _table_of(name: str) -> str:
    of_what = name.partition(".")[2]
    return f"{of_what.replace('_', ' ')} rows" if of_what else "generalised tables"


def _known_for(days: Any) -> str:
    """Of which customers an attribute was tried."""
    if days is None:
        return f"Of all {MANY}"
    return f"Of new {MANY}, of whom nothing is known" if days == 0 else f"Of {MANY} known for {words(days)} days"


def _as_said(value: Any, otherwise: str = "") -> str:
    """In words, if somebody has said it."""
    told = words(value) if value is not None else "open"
    return told if is_said(told) else otherwise


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []
