"""Replay the declared decision on one day, with the groups that a mitigation may ask for."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from twinops.data.vault.sealed_tables import SealedTables
from twinops.errors import ParamsError
from twinops.evaluation.fairness.decision import Candidates, RankedHouseholds
from twinops.evaluation.fairness.declaration import Assessed, Decision, Mitigation
from twinops.evaluation.fairness.groups import Grouping, assessed, groupings
from twinops.workflows.declared_use import attributes_of, uses_of
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of

Levels = Mapping[str, Mapping[str, str]]
"""Attribute -> household -> its group, of those who allow bias assessment."""


def decision_of(places: Places) -> Decision:
    """The decision that the controller's data owner declared.

    Raises:
        ParamsError: the file holds mistakes, or the policy lets nobody be chosen by what the decision asks.
    """
    said, rules = uses_of(places).decision, policy_of(places).influence
    asked = said.mitigation.attribute
    if asked is not None and rules is not None and asked in rules.never_keyed_on:
        raise ParamsError(
            f"The declared mitigation needs everybody's {asked} to decide, and the policy lets nobody be chosen by it.",
            hint="Declare a mitigation that needs no attribute, or another use; see influence.never_keyed_on.",
        )
    how = Mitigation(**said.mitigation.model_dump())
    return Decision(said.name, said.score, said.share, said.population, said.effect, how)


def assessed_of(places: Places, demographics: pa.Table) -> Assessed:
    """By which of the held attributes the decision is assessed, and what the policy says of it.

    Raises:
        ParamsError: a file holds mistakes, or no gate of the policy judges fairness.
    """
    limits = next((g.checked_limits() for g in policy_of(places).gates if g.gate == "fairness"), None)
    if limits is None:
        raise ParamsError(
            "compliance/policy.yaml lists no gate that judges fairness.",
            hint="List it; which attributes decide, and by which limits, is the risk officer's to say.",
        )
    by = assessed(demographics, attributes_of(places), limits.attributes)
    return Assessed(by, limits.attributes, limits.ratio, limits.alpha)


def replayed(places: Places, candidates: Candidates, tables: SealedTables) -> RankedHouseholds:
    """Whom the declared decision selects among those who may receive an offer.

    Raises:
        ParamsError: the declaration or the policy holds mistakes.
    """
    decision = decision_of(places)
    asked = decision.mitigation.attribute
    if asked is None:
        return candidates.decided(decision)
    plain = candidates.decided(decision)
    demographics = tables.source("demographics")
    grouped = assessed_groups(plain, demographics, assessed_of(places, demographics))
    known = levels(plain, grouped).get(asked, {})
    return candidates.decided(decision, np.array([known.get(sid) for sid in candidates.sids.tolist()], dtype=object))


def assessed_groups(people: RankedHouseholds, demographics: pa.Table, rule: Assessed) -> tuple[Grouping, ...]:
    """The groups of those who allow bias assessment; nobody else is joined to demographics."""
    return groupings(people.only(people.assessable), demographics, rule)


def levels(people: RankedHouseholds, grouped: tuple[Grouping, ...]) -> Levels:
    """Whose group is which."""
    sids = people.sids[people.assessable].tolist()
    return {
        g.attribute: {sid: label for sid, label in zip(sids, g.labels.tolist(), strict=True) if label is not None}
        for g in grouped
    }
