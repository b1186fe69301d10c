"""MLflow's accounts: five are made at the first start, passwords shown once; roles are looked up for every act."""

from __future__ import annotations

import secrets
from typing import Any

from mlflow.exceptions import MlflowException

from twinops.entities.approval import Actor
from twinops.governance.people.lookalikes import resembles
from twinops.governance.people.offices import DPO, GATE_RUNNER, RISK_OFFICER, ROLES
from twinops.server.registry.callers import UNKNOWN

WORKSPACE = "default"
FIRST = {
    "scientist": "scientist",
    "ci": GATE_RUNNER,
    "risk-officer": ROLES[RISK_OFFICER],
    "dpo": ROLES[DPO],
    "admin": None,
}
"""Accounts of the first start and their roles."""
WORK = (("experiment", "*", "EDIT"), ("registered_model", "*", "EDIT"))
"""What a scientist may do everywhere; all others read. Protected aliases need an approval all the same."""


def store() -> Any:
    """MLflow's store of accounts."""
    from mlflow.server.auth import store as accounts

    return accounts


def first_start(database: str) -> dict[str, str]:
    """Passwords by account, made and shown this once; empty when there are accounts already."""
    accounts = store()
    accounts.init_db(database)
    if accounts.list_users():
        return {}
    passwords = {name: secrets.token_urlsafe(15) for name in FIRST}
    roles = {role: accounts.create_role(role, WORKSPACE, None).id for role in FIRST.values() if role}
    for resource, pattern, permission in WORK:
        accounts.add_role_permission(roles["scientist"], resource, pattern, permission)
    for name, role in FIRST.items():
        user = accounts.create_user(name, passwords[name], is_admin=role is None)
        if role:
            accounts.assign_role_to_user(user.id, roles[role])
    return passwords


def against_name(name: str) -> str | None:
    """Why there shall be no account of this name: it reads like another's, or like what the server calls itself."""
    if name == UNKNOWN or name.startswith("local:"):
        return f"{name[:80]!r} is a name the server uses itself; choose another."
    like = resembles(name, [user.username for user in store().list_users()])
    return f"{name[:80]!r} looks like the account {like!r}; choose another name." if like else None


def actor_of(account: str) -> Actor:
    """The account with the roles it holds now, in the workspace the models are in."""
    accounts = store()
    try:
        user = accounts.get_user(account)
    except MlflowException:
        return Actor(account)
    roles = accounts.list_user_roles_for_workspace(user.id, WORKSPACE)
    return Actor(account, frozenset(role.name for role in roles), bool(user.is_admin))
