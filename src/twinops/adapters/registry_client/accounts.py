"""Make an account on the registry and give it a role, by MLflow's own routes: they are the administrator's."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from twinops.adapters.registry_client.client import Door
from twinops.errors import ParamsError
from twinops.governance.people.offices import GATE_RUNNER, ROLES

KNOWN = ("scientist", GATE_RUNNER, *ROLES.values())
WORKSPACE = "default"
USERS, ROLE = "/api/2.0/mlflow/users", "/api/3.0/mlflow/roles"


@dataclass(frozen=True)
class Account:
    """An account with the role it has now; `password` is None where the account was there before."""

    account: str
    role: str
    password: str | None = field(repr=False)


def give(door: Door, account: str, role: str) -> Account:
    """Make the account unless it is there, and give it the role.

    Raises:
        ParamsError: no role is called so, or this login is no administrator's.
    """
    if role not in KNOWN:
        raise ParamsError(f"There is no role {role!r}.", hint=f"Choose one of {', '.join(KNOWN)}.")
    if not door.get("whoami")["admin"]:
        raise ParamsError("Only the administrator makes accounts.", hint="Log in as the account `admin`.")
    known = {one["username"]: {r["name"] for r in one["roles"]} for one in door.ask("GET", f"{USERS}/list")["users"]}
    password = None if account in known else secrets.token_urlsafe(15)
    if password:
        door.ask("POST", f"{USERS}/create", username=account, password=password)
    roles = {one["name"]: one["id"] for one in door.ask("GET", f"{ROLE}/list?workspace={WORKSPACE}")["roles"]}
    if role not in roles:
        roles[role] = door.ask("POST", f"{ROLE}/create", name=role, workspace=WORKSPACE)["role"]["id"]
    if role not in known.get(account, ()):
        door.ask("POST", f"{ROLE}/assign", username=account, role_id=roles[role])
    return Account(account, role, password)
