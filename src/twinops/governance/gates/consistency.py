"""Refuse a candidate whose declarations contradict each other: one of them is false, and a document would repeat it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Verdict, about, failed, missing, passed
from twinops.entities.wording import MANY
from twinops.governance import open_fields
from twinops.governance.assessment.questions import need_facts
from twinops.governance.assessment.wording import empty
from twinops.governance.reading import Record

RULE = "GDPR arts. 5(1)(a), 5(2), 24(1): what is declared must be so, and can be shown to be"
QUESTION = "Do the declarations of the use, of the impact assessment and of the sources agree with each other?"
USE, DPIA = "compliance/intended_use.yaml", "compliance/dpia.yaml"
NEEDED = ("dpia.need", "ai_act_facts", "consumer_law_facts", "intended_use.decision", "intended_use.purposes")
ANSWERS = ("true", "false", "unknown")
DENIALS = ("none", "nothing", "not applicable", "no data ", "no source ", "no other ")
"""How a text begins that says that there is nothing; so does one that says too little."""
ACCESS = ("use_creditworthiness", "use_life_or_health_insurance_pricing", "use_education_access_or_assessment",
          "use_public_benefit_eligibility")  # fmt: skip
SPECIAL = ("Health", "Religion", "Political", "Ethnic", "Sexual", "SpecialCategory")


class Limits(Record):
    """Nothing to set."""


ASK = open_fields.ASK


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return NEEDED


def check(evidence: Evidence, _limits: Limits) -> Verdict:
    """Every pair of declarations that cannot both be so."""
    if not _whole(evidence):
        if evidence.fact(open_fields.FACT) is not None:
            return missing("Declarations that people have not said yet cannot be compared.", ASK)
        return missing("The declarations are not in this evidence, or not whole.", f"Restore {USE} and {DPIA}.")
    declared = Declared(evidence)
    found = [told for one in CHECKS for told in one(declared)]
    figures = {**about(evidence.fact("dpia.need"), limit=0), "value": len(found), "n": len(CHECKS)}
    if found:
        return failed(f"{len(found)} contradiction(s): {'; '.join(found)}.", f"Mend {USE} or {DPIA}.", **figures)
    return passed(f"{len(CHECKS)} comparisons of declarations found 0 contradictions.", **figures)


def _whole(evidence: Evidence) -> bool:
    """Every question is answered in the evidence, with one of the three answers: silence is no agreement."""
    need, decision = evidence.value("dpia.need"), evidence.value("intended_use.decision")
    answers = need.get("answers") if isinstance(need, dict) else None
    return (
        isinstance(answers, dict)
        and all(answers.get(name) in ANSWERS for name in need_facts())
        and all(_answered(evidence.value(name)) for name in ("ai_act_facts", "consumer_law_facts"))
        and isinstance(decision, dict)
        and decision.get("legal_or_similarly_significant_effect") in ANSWERS
        and _stated(evidence.value("intended_use.purposes"), "legal_basis")
        and "open" not in (said["legal_basis"] for said in evidence.table("intended_use.purposes").values())
    )


def _answered(facts: Any) -> bool:
    return _stated(facts, "value") and all(said["value"] in ANSWERS for said in facts.values())


def _stated(table: Any, part: str) -> bool:
    """A table of records that each have this part, in words."""
    whole = isinstance(table, dict) and bool(table)
    return whole and all(isinstance(said, dict) and isinstance(said.get(part), str) for said in table.values())


class Declared:
    """What is declared, as the comparisons ask for it."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def need(self, name: str) -> Any:
        """An answer of the impact assessment's need test: true, false or unknown."""
        return self.table("dpia.need", "answers").get(name)

    def use(self, name: str) -> Any:
        """An answer to a fact of the AI Act or of consumer law."""
        facts = {**self.table("consumer_law_facts"), **self.table("ai_act_facts")}
        said = facts.get(name)
        return said.get("value") if isinstance(said, dict) else None

    def table(self, fact: str, *path: str) -> dict[str, Any]:
        """A table of a fact; empty when there is none."""
        value = self._evidence.value(fact)
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return value if isinstance(value, dict) else {}

    def value(self, fact: str) -> Any:
        """What a fact says; None when it is not there."""
        return self._evidence.value(fact)

    @property
    def sources(self) -> dict[str, dict[str, Any]]:
        """Declared sources by name."""
        return {f.name.removeprefix("source."): f.value for f in self._evidence.sources if isinstance(f.value, dict)}


def _second_hand(declared: Declared) -> Iterator[str]:
    """Art. 14 speaks of data that were not collected from the person: the notice must say so."""
    said = str(declared.table("dpia.declared.notice").get("not_collected_from_the_person") or "").strip().casefold()
    outside = _outside(declared)
    if (said.startswith(DENIALS) or empty(said)) and outside:
        yield f"the notice says that nothing was collected from elsewhere, and {', '.join(outside)} were (art. 14)"


def _outside(declared: Declared) -> list[str]:
    """Sources that are not collected from the person."""
    return [n for n, s in declared.sources.items() if "art. 14" in str(s.get("collected_from")).casefold()]


def _outside_profiles(declared: Declared) -> Iterator[str]:
    outside = _outside(declared)
    if declared.need("external_source_profile") == "false" and (
        outside or declared.use("social_network_source") == "true"
    ):
        yield f"need.external_source_profile is false beside sources from outside ({', '.join(outside) or 'social'})"


def _social(declared: Declared) -> Iterator[str]:
    social = [n for n, s in declared.sources.items() if "Social" in str(s.get("personal_data"))]
    if social and declared.use("social_network_source") == "false":
        yield f"social_network_source is false beside the sources {', '.join(social)}"


def _special(declared: Declared) -> Iterator[str]:
    held = [n for n, s in declared.sources.items() if any(w in str(s.get("personal_data")) for w in SPECIAL)]
    said = [n for n in ("uses_special_category", "infers_special_category", "special_category_source")
            if declared.use(n) == "true"]  # fmt: skip
    if (held or said) and declared.need("special_or_highly_personal") == "false":
        yield f"need.special_or_highly_personal is false beside {', '.join([*held, *said])}"
    if held and declared.use("special_category_source") == "false":
        yield f"special_category_source is false beside the sources {', '.join(held)}"


def _large_scale(declared: Declared) -> Iterator[str]:
    """Special categories on a large scale are special."""
    one, other = (declared.need(n) for n in ("special_category_large_scale", "special_or_highly_personal"))
    if (one, other) == ("true", "false"):
        yield "need.special_category_large_scale is true, and need.special_or_highly_personal is false"


def _foretold(declared: Declared) -> Iterator[str]:
    """A model that foretells what a person does infers, and evaluates personal aspects (GDPR art. 4(4))."""
    if not declared.table("model.family").get("foretells"):
        return
    said = {f"ai_act.{n}": declared.use(n) for n in ("infers_outputs", "profiles_persons")}
    said["need.profiles_persons"] = declared.need("profiles_persons")
    if declared.value("intended_use.decision") and not _by_lot(declared):
        said["profiling_based"] = declared.use("profiling_based")
    if "transactions" in declared.sources:
        said["need.continuous_behaviour_tracking"] = declared.need("continuous_behaviour_tracking")
    yield from (f"{n} is false beside a model that foretells what {MANY} do" for n, v in said.items() if v == "false")


def _by_lot(declared: Declared) -> bool:
    """A lottery of full strength looks at no score."""
    mitigation = declared.table("intended_use.decision", "mitigation")
    return (mitigation.get("kind"), mitigation.get("strength")) == ("lottery", 1)


def _systematic(declared: Declared) -> Iterator[str]:
    """Who is watched all the time is watched systematically (WP 248 rev.01, criterion 3)."""
    if (declared.need("continuous_behaviour_tracking"), declared.need("systematic_extensive")) == ("true", "false"):
        yield "need.continuous_behaviour_tracking is true, and need.systematic_extensive is false"


def _somebody(declared: Declared) -> Iterator[str]:
    """A system with a declared decision has a deployer (AI Act art. 3(4))."""
    if declared.value("intended_use.decision") and declared.use("role_deployer") == "false":
        yield "role_deployer is false beside a decision that the controller takes with it"


def _access(declared: Declared) -> Iterator[str]:
    """Credit, insurance, education and benefits are services and contracts."""
    used = [name for name in ACCESS if declared.use(name) == "true"]
    if used and declared.need("affects_access_to_service_or_contract") == "false":
        yield f"need.affects_access_to_service_or_contract is false beside {', '.join(used)}"


def _elections(declared: Declared) -> Iterator[str]:
    """What influences an election is political advertising (Reg. (EU) 2024/900 art. 3(2))."""
    if declared.use("use_election_influence") == "true" and declared.use("political_advertising") == "false":
        yield "political_advertising is false beside use_election_influence"


def _same_answers(declared: Declared) -> Iterator[str]:
    """Facts that two laws ask under two names."""
    decision = declared.table("intended_use.decision")
    pairs = (
        ("need.profiles_persons", declared.need("profiles_persons"), "ai_act", declared.use("profiles_persons")),
        ("need.decision_legal_or_similar_effect", declared.need("decision_legal_or_similar_effect"),
         "decision", decision.get("legal_or_similarly_significant_effect")),
    )  # fmt: skip
    for name, one, where, other in pairs:
        if one is not None and other is not None and one != other:
            yield f"{name} is {one} in the impact assessment and {other} under {where} in the declared use"


def _minors(declared: Declared) -> Iterator[str]:
    known = declared.use("minors_known_with_reasonable_certainty") == "true"
    if known and declared.need("minors_or_vulnerable") == "false":
        yield "need.minors_or_vulnerable is false, and minors are known"
    exploited = declared.use("exploits_age_disability_or_socioeconomic_situation") == "true"
    if exploited and declared.need("minors_or_vulnerable") == "false":
        yield "need.minors_or_vulnerable is false beside exploits_age_disability_or_socioeconomic_situation"


def _marketing(declared: Declared) -> Iterator[str]:
    """Offers to named persons are direct marketing whatever they are called."""
    offers = "offers" in declared.table("intended_use.purposes")
    denied = [name for name in ("direct_marketing", "advert") if declared.use(name) == "false"]
    if offers and denied:
        yield f"{', '.join(denied)} is false beside the purpose offers"


def _bases(declared: Declared) -> Iterator[str]:
    """A purpose has the basis of most of its sources; where one differs, the assessment names that basis."""
    told = str(declared.value("dpia.declared.legal_basis")).casefold()
    for purpose, said in sorted(declared.table("intended_use.purposes").items()):
        held = {n: str(b) for n, s in declared.sources.items() if (b := (s.get("bases") or {}).get(purpose))}
        often = Counter(held.values())
        agreed = often[said["legal_basis"]] == max(often.values(), default=0)
        others = [
            f"{name} ({basis.replace('_', ' ')})"
            for name, basis in held.items()
            if basis != said["legal_basis"] and not (agreed and basis.replace("_", " ") in told)
        ]
        if others:
            basis = said["legal_basis"].replace("_", " ")
            yield f"the purpose {purpose} rests on {basis}, and {', '.join(others)} differ"


def _controller(declared: Declared) -> Iterator[str]:
    use, assessed = declared.table("intended_use.controller"), declared.table("dpia.declared.actors")
    if use and assessed and use.get("name") != assessed.get("controller"):
        yield f"the controller is {use.get('name')} in the use and {assessed.get('controller')} in the assessment"


def _made_up(declared: Declared) -> Iterator[str]:
    """Data of real people under a controller who does not exist would be nobody's."""
    made_up = declared.table("intended_use.controller").get("synthetic")
    said = declared.value("dpia.synthetic_controller")
    if said is not None and made_up is not None and said != made_up:
        yield "the controller is synthetic in one declaration and real in the other"


CHECKS: tuple[Callable[[Declared], Iterator[str]], ...] = (
    _second_hand, _outside_profiles, _social, _special, _same_answers, _minors, _marketing, _bases,
    _controller, _made_up, _large_scale, _foretold, _systematic, _somebody, _access, _elections,
)  # fmt: skip
