"""Who may record evidence, decide and promote. Pure: case, actor, offices and time go in, reasons come out.

Every function answers with the reasons against; none means yes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from twinops.entities.approval import Act, Actor, Case, Review
from twinops.governance.people import lookalikes
from twinops.governance.people.offices import DPO, GATE_RUNNER, RISK_OFFICER, ROLES, Offices

_OFFICER_ACTS = (Act.APPROVE, Act.REJECT, Act.REVOKE)
MIN_REASON, MAX_REASON = 10, 4_000


def against_recording(actor: Actor, offices: Offices | None, *, forced: bool) -> tuple[str, ...]:
    """Evidence comes from the gate runner only, who makes it anew: nobody vouches for a model of her own."""
    if offices is None:
        return (NO_RULES,)
    if not forced:
        return (NOT_FORCED,)
    if actor.account not in offices.gate_runners or GATE_RUNNER not in actor.roles or actor.admin:
        return ("Only a gate runner records evidence; the offices file lists which accounts are.",)
    return ()


def against_act(act: Act, case: Case, actor: Actor, *, offices: Offices | None, now: datetime) -> tuple[str, ...]:
    """Reasons why this account may not do this to this version now."""
    if offices is None:
        return (NO_RULES,)
    if act is Act.REQUEST:
        return ()
    against = list(against_office(act, actor, offices, now=now))
    if act is Act.APPROVE:
        against += against_dependence(case, actor)
        against += against_candidate(case)
    if act is Act.REVOKE and standing(case, now=now) is None:
        against.append("There is no approval of this version to revoke.")
    return tuple(against)


def against_activating(actor: Actor, offices: Offices, *, now: datetime) -> tuple[str, ...]:
    """Policy and offices change by the risk officer's hand only, under the offices that are active now."""
    return against_office(Act.APPROVE, actor, offices, now=now)


def against_confirming(asked_by: str, actor: Actor, offices: Offices, *, now: datetime) -> tuple[str, ...]:
    """Rules that let more through need two people of two offices; the administrator where there is one office only."""
    on = now.date()
    asked = offices.officer(asked_by, on=on)
    others = [p for p in offices.people if p.account and p.office and p.holds(p.office, on=on)]
    others = [p for p in others if asked is not None and p.office != asked.office]
    if actor.account == asked_by:
        return ("Who asked for it does not confirm it: a second person of another office does.",)
    if not others and actor.admin:
        return ()
    against = list(against_office(None, actor, offices, now=now))
    if not against and actor.account not in {p.account for p in others}:
        against.append("Somebody of another office than who asked for it confirms it.")
    return tuple(against)


def against_candidate(case: Case) -> tuple[str, ...]:
    """What the version itself lacks, whoever asks."""
    if case.digests is None or case.blocking is None:
        return (*case.problems, "There is no evidence for these bytes from the gate runner.")
    gates = (f"The server's policy refuses it. In the way: {', '.join(case.blocking)}.",) if case.blocking else ()
    return (*case.problems, *gates)


def against_promotion(case: Case, *, now: datetime) -> tuple[str, ...]:
    """Reasons why a protected alias may not point to this version now."""
    last = _last(case, *_OFFICER_ACTS)
    if last is None:
        return (f"Version {case.version} of {case.name} is not approved: nobody decided on it yet.",)
    if last.act is Act.REVOKE:
        return (f"The approval of version {case.version} was revoked.",)
    if last.act is Act.REJECT:
        return (f"Version {case.version} was rejected.",)
    against = list(against_candidate(case))
    if last.name != case.name:
        against.append(f"It was approved as a version of {last.name}, not of {case.name}.")
    if last.expires is not None and now >= last.expires:
        against.append(f"The approval expired on {last.expires.date()}.")
    if case.digests is not None and last.digests is not None and last.digests != case.digests:
        parts = ", ".join(last.digests.changed(case.digests))
        against.append(f"The approval lapsed: {parts} changed since it was given.")
    return tuple(against)


def standing(case: Case, *, now: datetime) -> Review | None:
    """The approval that neither was taken back nor ran out; None: there is none."""
    last = _last(case, *_OFFICER_ACTS)
    if last is None or last.act is not Act.APPROVE or (last.expires is not None and now >= last.expires):
        return None
    return last


def expiry(offices: Offices, *, now: datetime, ends: Iterable[date] = ()) -> datetime:
    """Until when an approval given now holds: no longer than the first thing it rests on; that day still counts."""
    longest = now + timedelta(days=offices.approval_days)
    over = (datetime.combine(d + timedelta(days=1), time(), tzinfo=now.tzinfo) for d in ends if d < longest.date())
    return min([longest, *over])


def against_reason(act: Act, reason: str) -> tuple[str, ...]:
    """An officer says why, in words that can be read; who only asks for a review may leave them out."""
    if act is not Act.REQUEST and len(lookalikes.seen(reason)) < MIN_REASON:
        return (f"A reason of at least {MIN_REASON} characters is needed.",)
    if len(reason) > MAX_REASON:
        return (f"A reason of at most {MAX_REASON} characters is needed.",)
    return lookalikes.against_text(reason)


NOT_FORCED = "Its evidence does not come from a forced run with an empty cache."
ADVISES = "The data protection officer advises and does not decide (GDPR art. 38(6))."
NO_RULES = "No policy and offices file are active on this server: the risk officer activates them first."


def against_office(act: Act | None, actor: Actor, offices: Offices, *, now: datetime) -> tuple[str, ...]:
    """Reasons in the office the account holds, or does not; `act` None: any office will do."""
    held = offices.officer(actor.account, on=now.date())
    against = []
    if actor.admin:
        against.append("An administrator of the server decides nothing: the roles are kept apart.")
    if held is None or held.office is None:
        against.append("This account holds no office in the active offices file, or its office has ended.")
    elif act in _OFFICER_ACTS and held.office != RISK_OFFICER:
        against.append(ADVISES if held.office == DPO else "Only the risk officer decides on a version.")
    elif ROLES[held.office] not in actor.roles:
        against.append(f"This account does not hold the role {ROLES[held.office]} on this server.")
    return tuple(against)


def against_dependence(case: Case, actor: Actor) -> tuple[str, ...]:
    """Who worked on a version neither approves it nor resolves its gates, and a stranger's part keeps all from it."""
    against = []
    if actor.account in case.contributors:
        against.append("Who worked on this version does not approve it.")
    if case.unknown:
        against.append(f"It is not known who worked on it: {'; '.join(case.unknown)}.")
    return tuple(against)


def _last(case: Case, *acts: Act) -> Review | None:
    return next((review for review in reversed(case.reviews) if review.act in acts), None)
