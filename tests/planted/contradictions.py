"""Declarations that cannot both be so, each laid before people who approve whatever they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import yaml

from planted.declared import put
from planted.desk import Desk
from planted.trial import Fault

KIND = "facts that contradict each other, approved and signed"
USE, DPIA = "compliance/intended_use.yaml", "compliance/dpia.yaml"
Step = tuple[str, tuple[str, ...], Any]
"""File, where in it, and what it says then."""


def faults(desk: Desk) -> Iterator[Fault]:
    for what, steps in pairs(desk):
        yield Fault(KIND, ", ".join(".".join(path) for _, path, _ in steps), what, _told(steps))


def _told(steps: tuple[Step, ...]) -> Callable[[Desk], None]:
    def plant(desk: Desk) -> None:
        for file, path, value in steps:
            desk.edit(file, lambda raw, p=path, v=value: put(raw, p, lambda _: v))
        desk.approved()

    return plant


def need(name: str, value: Any) -> Step:
    return DPIA, ("need", name), value


def ai(name: str, value: Any) -> Step:
    return USE, ("ai_act", "facts", name, "value"), value


def consumer(name: str, value: Any) -> Step:
    return USE, ("consumer_law", "facts", name, "value"), value


def pairs(desk: Desk) -> Iterator[tuple[str, tuple[Step, ...]]]:
    use = yaml.safe_load(desk.text(USE))
    denied = DPIA, ("declared", "notice", "not_collected_from_the_person")
    for word in ("none", "None.", "no", "nothing", "n/a", "-", "Nothing was collected from others.", "not applicable"):
        yield f"the notice says {word!r} beside sources from outside", ((*denied, word),)
    yield "no profile from outside beside such sources", (need("external_source_profile", False),)
    yield "no social source beside social accounts", (consumer("social_network_source", False),)
    for name, step in (("profiles", need("profiles_persons", False)), ("profiles", ai("profiles_persons", False))):
        yield f"nobody is profiled: {name}, in one place", (step,)
    yield "nobody is profiled, in both places", (need("profiles_persons", False), ai("profiles_persons", False))
    yield "a twin that infers nothing", (ai("infers_outputs", False),)
    yield "the choice by score does not profile", (consumer("profiling_based", False),)
    yield "nobody uses it", (ai("role_deployer", False),)
    yield "nobody makes or uses it", (ai("role_deployer", False), ai("role_provider", False))
    effect = USE, ("decision", "legal_or_similarly_significant_effect")
    yield "a significant effect in the assessment alone", (need("decision_legal_or_similar_effect", True),)
    yield "a significant effect in the use alone", ((*effect, True),)
    yield "an effect unknown in the use alone", ((*effect, "unknown"),)
    for name in ("use_creditworthiness", "use_life_or_health_insurance_pricing", "use_education_access_or_assessment",
                 "use_public_benefit_eligibility"):  # fmt: skip
        yield f"no significant effect, no access at stake, beside {name}", (ai(name, True),)
    for name in ("uses_special_category", "infers_special_category", "special_category_source"):
        yield f"nothing sensitive beside {name}", (consumer(name, True), need("special_or_highly_personal", False))
    yield "nothing sensitive, and sensitive on a large scale", (
        need("special_or_highly_personal", False), need("special_category_large_scale", True))  # fmt: skip
    minors = consumer("minors_known_with_reasonable_certainty", True)
    yield "minors are known, and nobody is vulnerable", (minors, need("minors_or_vulnerable", False))
    exploited = ai("exploits_age_disability_or_socioeconomic_situation", True)
    yield "age is exploited, and nobody is vulnerable", (exploited, need("minors_or_vulnerable", False))
    yield "offers without direct marketing", (consumer("direct_marketing", False),)
    yield "offers without advertising", (consumer("advert", False),)
    yield "not continuous beside a state kept month by month", (need("continuous_behaviour_tracking", False),)
    yield "not systematic, and continuous", (need("systematic_extensive", False),)
    yield (
        "consent for each purpose beside a purpose on an interest",
        ((USE, ("purposes", "offers", "legal_basis"), "legitimate_interest"),),
    )
    for purpose in use["purposes"]:
        yield (
            f"{purpose} on another basis than its sources",
            ((USE, ("purposes", purpose, "legal_basis"), "legitimate_interest"),),
        )
    for where in ((USE, ("controller", "name")), (DPIA, ("declared", "actors", "controller"))):
        yield "two controllers", ((*where, "Another Shop"),)
    yield "a made-up controller, in one place", ((USE, ("controller", "synthetic"), False),)
    yield "a made-up controller, in the other place", ((DPIA, ("synthetic_controller",), False),)
    yield "elections are influenced without political advertising", (ai("use_election_influence", True),)
    yield (
        "the decision is on another share than was tested",
        ((USE, ("decision", "share"), use["decision"]["share"] / 2),),
    )
    yield "the decision is by another score than was tested", ((USE, ("decision", "score"), "expected_baskets"),)
    yield "the decision is mitigated otherwise than was tested", ((USE, ("decision", "mitigation"), {"kind": "none"}),)
