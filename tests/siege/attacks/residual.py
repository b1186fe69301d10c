"""What is known and not protected against, shown for what it is: each of these is open, and that much and no more."""

from __future__ import annotations

from siege.client import API
from siege.kit import Field, attack, harm, new_name, new_number

GROUP = "known and not protected against"


@attack(GROUP, "an administrator sets an officer's password and acts as her; the log tells it before it happens",
        needs="judges", stock="not applicable", residual=True)  # fmt: skip
def officers_password(here: Field) -> None:
    at = here.at
    before, taken = at.passwords["risk-officer"], new_name("taken-over-by-admin")
    body = {"username": "risk-officer", "password": taken}
    assert at.call("PATCH", f"{API}/users/update-password", body, who="admin").status == 200
    at.passwords["risk-officer"] = taken
    assert any("users/update-password" in entry for entry in at.log()["entries"]), "the log does not tell"
    version = at.registered(new_number(), name=new_name("taken"))
    assert at.judged(version).status == 200
    done = at.decided("approve", version)
    at.call("PATCH", f"{API}/users/update-password", {"username": "risk-officer", "password": before}, who="admin")
    at.passwords["risk-officer"] = before
    harm(done.status == 200, "the administrator approved in her name")


@attack(GROUP, "a stock client that asks by number gets a version that nobody approved", residual=True)
def by_number(here: Field) -> None:
    at, version = here.at, here.unapproved()
    where = f"{API}/model-versions/get-download-uri?name={version.name}&version={version.version}"
    answer = at.call("GET", where, who="scientist")
    if here.governed:
        given = at.call("GET", f"/twinops/api/pass?name={version.name}&alias=staging", who="scientist")
        here.sentence(given, "only those are vouched for")  # our loader asks for a pass and gets none
    got = answer.status == 200 and answer.json["artifact_uri"] == f"mlflow-artifacts:/{version.place}"
    harm(got, "its own bytes, and none of an approved copy")
