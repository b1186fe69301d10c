"""What this server judges by, and what waits to be: read, weighed against what is active, held for a second office."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from twinops import plugins
from twinops.errors import ParamsError
from twinops.governance.people import offices
from twinops.governance.people.offices import GATE_RUNNER, ROLES, Offices
from twinops.governance.policy import adopted_base, changes
from twinops.governance.policy import judge as judges
from twinops.governance.policy import limits as policy
from twinops.governance.policy.adopted_base import AdoptedBase
from twinops.governance.policy.changes import Change
from twinops.governance.policy.judge import Judge
from twinops.governance.policy.limits import Policy
from twinops.server.refusals import mistake
from twinops.server.registry import audit_log as ledger
from twinops.server.registry import cases
from twinops.server.registry.records import ActiveRules
from twinops.server.registry.store import GovernedStore
from twinops.server.registry.transaction import Transaction

KINDS = {"policy": policy, "offices": offices, "judge": judges, "base": adopted_base}
NAMESPACES = {kind: module.NAMESPACE for kind, module in KINDS.items()}
"""Kinds of rules, and what an ssh signature of each is made for."""
ASKED = " asked"
Given = Policy | Offices | Judge | AdoptedBase


@dataclass(frozen=True)
class Asked:
    """Rules that wait for a second office."""

    kind: str
    seq: int
    body: str
    digest: str
    account: str
    at: datetime


def asking(kind: str) -> str:
    """The kind under which rules wait."""
    return kind + ASKED


def parsed(kind: str, body: str) -> Given:
    """The rules of this text, or a refusal with every mistake in it."""
    if kind not in KINDS:
        raise mistake(f"there are no rules of the kind {kind[:40]!r}")
    try:
        made: Given = KINDS[kind].read(body)
    except ParamsError as problem:
        raise mistake(str(problem)) from None
    return made


def weighed(now: Transaction, given: Given, active: ActiveRules) -> tuple[Change, ...]:
    """What they change against what is active, in words."""
    if isinstance(given, AdoptedBase):
        held = cases.adopted_base(now, given.model)
        return adopted_base.change(held.base if held else None, given)
    if isinstance(given, Judge):
        return judges.change(active.judge.judge if active.judge else None, given)
    if isinstance(given, Offices):
        return changes.of_offices(active.offices, given)
    return changes.of_policies(active.policy, given)


def against_policy(given: Given, active: str | None) -> tuple[str, ...]:
    """Why a judge may not be activated: with its gates the active policy could not be read any more."""
    if not isinstance(given, Judge) or active is None:
        return ()
    try:
        with plugins.only(given.ideas):
            policy.read(active, name="the active policy")
    except ParamsError as problem:
        return (f"With this judge the active policy cannot be read; activate another policy first. {problem.what}",)
    return ()


def look(store: GovernedStore, kind: str, body: str) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """The same without activating anything, and whom of those they name this server does not know."""
    given = parsed(kind, body)
    with store.reading() as now:
        found = weighed(now, given, cases.rules(now))
    return found, nobody_here(store, given)


def asked(now: Transaction, kind: str) -> Asked | None:
    """What waits of this kind: the newest, unless something of the kind was activated since."""
    row = next(iter(cases.activations(now, kind, asking(kind))), None)
    if row is None or row.kind != asking(kind):
        return None
    return Asked(kind, row.seq, row.body, row.digest, row.account, ledger.moment_of(now.session, row.seq))


def waiting(store: GovernedStore) -> tuple[tuple[Asked, tuple[Change, ...]], ...]:
    """Everything that waits for a second office, with what it would change."""
    with store.reading() as now:
        active = cases.rules(now)
        found = [one for kind in KINDS if (one := asked(now, kind))]
        return tuple((one, weighed(now, parsed(one.kind, one.body), active)) for one in found)


def nobody_here(store: GovernedStore, given: Given) -> tuple[str, ...]:
    """Accounts that an offices file names and that cannot act here, with what makes them."""
    if not isinstance(given, Offices):
        return ()
    wanted = [(p.account, ROLES[p.office]) for p in given.people if p.account and p.office]
    wanted += [(account, GATE_RUNNER) for account in given.gate_runners]
    lacking = [(account, role) for account, role in wanted if role not in store.roles_of(account).roles]
    told = [
        f"There is no account {a} with the role {r} here: `twinops officers account {a} --role {r}`."
        for a, r in lacking
    ]
    unnamed = sorted({str(p.office) for p in given.people if p.office and not p.account})
    return (*told, *(f"A {office} is named without an account, so nobody acts as that here." for office in unnamed))
