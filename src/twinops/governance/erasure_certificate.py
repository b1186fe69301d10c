"""The certificate of an erasure (GDPR art. 17): each kind of copy, what was done with it, and what is out of reach.

Everything follows from what was recorded in the moment the keys went, so a command that was killed and run again writes
the same bytes. It names nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from twinops.entities.canonical import to_json
from twinops.entities.erasure import MOST_KEK_DAYS
from twinops.governance.markdown import escape, prose
from twinops.governance.people.offices import DATA_OWNER, DPO

NAMESPACE = "twinops-erasure"
"""What an ssh key signs a certificate for."""
OFFICES = (DATA_OWNER, DPO)
"""Offices that may carry an erasure out: the controller's data owner decides, the DPO answers requests (art. 39)."""
KIND = "twinops erasure certificate"
PARTS = ("kind", "where", "found", "done", "until")
Record = Mapping[str, Any]

SAID = {
    "data as it lies here": "`dvc repro` writes these files without the person.",
    "living twins": "States, forecasts and what they stood on stay sealed under a key that is destroyed; the next "
    "`twinops update` writes the states without the person.",
    "git revisions": "Nothing was rewritten: revisions name objects by MD5, and a frame opens in none of them.",
    "DVC cache": "Frames stay, sealed under a key that is destroyed; `dvc gc` may take them away physically.",
    "DVC run cache": "Holds MD5s of objects and no rows; what it brings back is sealed in the same way.",
    "DVC remote": "Holds the same objects, byte by byte, under the same MD5s; a frame opens in none of them.",
    "executed notebooks": "A notebook that shows a subject id or a row is not published.",
    "reports and documents": "Hold figures on ten persons or more.",
    "MLflow runs and artifacts": "Hold figures, documents and models, no rows.",
    "logs and scratch": "Hold no names; what a run left half done may be deleted (`make clean`).",
    "exports": "Copies that were handed out for a purpose.",
    "sealed tables beside": "Frames stay, sealed under a key that is destroyed; delete the table, or write it anew.",
    "released tables": "Synthetic or generalised: nobody's row is in them, and none can be called back.",
}

REWRITTEN = {"data as it lies here": "dvc repro", "living twins": "twinops update"}


def certificate(record: Record) -> dict[str, Any]:
    """The document, from what was recorded."""
    return {
        "kind": KIND,
        "version": 1,
        "name": record["name"],
        "at": record["at"],
        "reason": record["reason"],
        "by": record["by"],
        "controller": record["controller"],
        "subjects": record["subjects"],
        "erased": record["erased"],
        "epoch": record["epoch"],
        "copies": [*_copies(record), *_keys(record)],
        "models": record["models"],
        "recipients": record["recipients"],
        "owner_deletes": record["owner_deletes"],
        "stays": _stays(record),
        "out_of_reach": list(_out_of_reach(record)),
        "does_not_say": DOES_NOT_SAY,
        "verify": VERIFY,
    }


DOES_NOT_SAY = [
    "That a destroyed key is erasure. It makes every copy of the sealed rows unreadable to whoever has no other copy "
    "of that key; the rows themselves are gone only where their files are rewritten or deleted.",
    "That nobody copied rows, keys or tables by hand to a place this project does not know.",
    "What memory, swap and disks held before: they were overwritten by no one here.",
]
VERIFY = {
    "signature": f"ssh-keygen -Y verify -f allowed_signers -I EMAIL -n {NAMESPACE} -s NAME.json.sig < NAME.json",
    "allowed_signers": "one line, `EMAIL KEY`, with e-mail and key from compliance/offices.yaml of a commit you trust",
    "marks": "git show HEAD:epoch.json lists every pseudonym below `erased`, and an epoch at least as high",
    "pseudonym": "s- and the first 16 hexadecimal digits of SHA-256 of `twinops audit log` followed by the subject id",
    "frames": "the column `sid` of any sealed Parquet file stands in the open (16 bytes): pyarrow reads it, and "
    "its pseudonym tells whether a frame of an erased subject is in it; the frame is AES-SIV (RFC 5297)",
}


def text(record: Record) -> str:
    """The file's bytes."""
    return to_json(certificate(record), indent=1) + "\n"


def page(record: Record) -> str:
    """The same to be read, as one page of Markdown."""
    made = certificate(record)
    people, by = made["subjects"], made["by"]
    lines = [
        f"# Erasure {made['name']}",
        "",
        f"{len(people):,} person(s), on {made['at']} (UTC), at erasure epoch {made['epoch']}. Controller: "
        f"{escape(made['controller'])}. Carried out by {escape(by['name'])}, {by['office']}. "
        f"Reason: {escape(made['reason'])}",
        "",
        *_people(people),
        "",
        "| kind of copy | where | found | what was done | until |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(prose(c[part]) for part in PARTS)} |" for c in made["copies"]),
        "",
        "## Models",
        "",
        *_listed(escape(f"{m['model']} {m['version']}{_carries(m)}: {m['decision']}") for m in made["models"]),
        "",
        "## Told, and left to others",
        "",
        *_listed([*(f"Recipient to be told (art. 19): {escape(r)}" for r in made["recipients"]),
                  *(f"The owner deletes: {escape(one)}" for one in made["owner_deletes"]),
                  *(f"Stays: {one}" for one in made["stays"])]),
        "",
        "## Out of reach from here",
        "",
        *_listed(map(prose, made["out_of_reach"])),
        "",
        "## What this does not say",
        "",
        *_listed(map(prose, made["does_not_say"])),
        "",
        "## How a stranger checks it",
        "",
        "    " + made["verify"]["signature"].replace("EMAIL", by["email"]).replace("NAME", made["name"]),
        "",
        *_listed(f"{name}: {prose(how)}" for name, how in made["verify"].items() if name != "signature"),
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def decided(version: Record, *, policy: Record, day: date) -> dict[str, Any]:
    """What becomes of one version. `learned`: whether it learned from them, or None where its list is not here."""
    by = (day + timedelta(days=policy["within_days"])).isoformat()
    told = {
        "retire": "to be retired: the risk officer revokes its approval",
        "keep": f"kept: {policy['why']}",
        "retrain": f"to be replaced by {by} by one that learned without them",
    }[policy["models"]]
    if version["learned"] is False:
        told = "learned from none of them; nothing to do"
    unsure = " (its list of whom it learned from is not here: taken as if it had)" if version["learned"] is None else ""
    return {**version, "decision": f"{told}{unsure}"}


def _people(people: list[Record]) -> Iterator[str]:
    """The first few, and how many more; all of them stand in the JSON."""
    for one in people[:12]:
        minor = " A minor: whoever holds parental responsibility may ask too." if one["minor"] else ""
        shared = f", {one['shared_contacts']} shared with others and therefore not" if one["shared_contacts"] else ""
        yield (
            f"- {one['pseudonym']}: {one['identities']} identit(ies), {one['contacts']} address(es) kept away{shared}."
            f"{minor}"
        )
    if len(people) > 12:
        yield f"- and {len(people) - 12:,} more, in the JSON beside this page."


def _copies(record: Record) -> Iterator[dict[str, Any]]:
    for found in record["copies"]:
        kind = found["kind"]
        done, until = SAID[kind], "now"
        if kind in REWRITTEN:
            until = f"until the next `{REWRITTEN[kind]}`, unreadable from now on"
        if found["files"] == 0:
            done, until = "There are none.", "now"
        if kind == "exports" and record.get("exports"):
            done = f"{len(record['exports']):,} that the ledger of rights tells of went elsewhere: see Out of reach."
        if found["open"]:
            done = "NAMED IN THE OPEN: the owner deletes or redacts these files."
            until = "until the owner has done so"
        yield {**{k: found[k] for k in ("kind", "where", "open")}, "found": _found(found), "done": done, "until": until}
    for source, batch in record["quarantines"]:
        yield {
            "kind": "quarantine", "where": f"{source} {batch}", "open": [], "found": "a row with one of their names",
            "done": "The key of the batch is destroyed; the next `dvc repro` collects the others' rows again.",
            "until": "now",
        }  # fmt: skip


def _out_of_reach(record: Record) -> Iterator[str]:
    """What this act could not touch, told one by one."""
    for found in record["copies"]:
        if found["files"] is None:
            yield f"{found['kind']} {found['where']}: not looked into from here; what it holds is sealed as above."
        yield from (
            f"{path}: names somebody in the open; it is the owner's to delete or redact." for path in found["open"]
        )
    if not record["keys"]["destroyed_by_us"]:
        yield f"Wrapping key {record['keys']['wrapping_key']} in {record['keys']['wrapping']}: its owner destroys it."
    yield from record.get("exports", ())  # records of older versions have none
    yield from (f"{one[0].upper()}{one[1:]}." for one in record["owner_deletes"])
    yield "Copies of keys that were taken by hand with their wrapping key, and rows that were copied in the open."
    yield "Tables that were released, and whatever recipients hold: they are told, and delete for themselves."
    yield "Memory, swap and free blocks of disks; physical deletion is `dvc gc -c` and the remotes' own."


def _found(found: Record) -> str:
    if found["files"] is None:
        return "not looked into from here"
    frames = f", {found['frames']:,} frame(s) of theirs in {found['sealed']:,}" if found["frames"] else ""
    named = f", named in {len(found['open'])}: {', '.join(found['open'][:5])}" if found["open"] else ""
    return f"{found['files']:,} looked at{frames}{named}"


def _keys(record: Record) -> Iterator[dict[str, Any]]:
    keys, day = record["keys"], datetime.fromisoformat(record["at"]).date()
    latest = (day + timedelta(days=MOST_KEK_DAYS)).isoformat()
    dead = f"Wrapped by key {keys['wrapping_key']}, which was destroyed here: opens nothing any more."
    alive = (
        f"Wrapped by key {keys['wrapping_key']}, which lies in {keys['wrapping']}: opens until its owner has destroyed "
        "that key, after `twinops keys rotate`."
    )
    done, until = (dead, "now") if keys["destroyed_by_us"] else (alive, f"by {latest}")
    yield {
        "kind": "keys of the persons", "where": keys["database"], "open": [],
        "found": f"{len(record['erased'])} key(s)", "done": "Deleted; " + _pages(keys), "until": until,
    }  # fmt: skip
    for backup in keys["backups"]:
        older = backup["kek"] < keys["wrapping_key"]
        told = f"Wrapped by key {backup['kek']}, which was replaced before." if older else done
        yield {
            "kind": "backup of keys", "where": f"taken {backup['day']}", "open": [], "found": "a copy",
            "done": told, "until": "now" if older else until,
        }  # fmt: skip


def _pages(keys: Record) -> str:
    rewrapped = "all other keys are wrapped anew" if keys["rotated"] else "the wrapping key is the same as before"
    if keys["database"].startswith("PostgreSQL"):
        return f"{rewrapped}; PostgreSQL's WAL, its heap until VACUUM and its base backups keep the wrapped bytes."
    return f"{rewrapped}; freed pages are overwritten (secure_delete)."


def _stays(record: Record) -> list[str]:
    return [
        f"{record['kept_away']:,} keyed hashes of numbers and addresses, in the key store alone, so that the persons "
        "are not taken in again (arts. 17(3)(b), 5(2)).",
        f"{len(record['erased']):,} pseudonyms in epoch.json, made from random ids, so that no older copy of keys "
        "opens anything of theirs.",
        "Figures on groups of ten or more, and models as decided above.",
        "This certificate and the entries of the rights ledger (art. 5(2)); their sealed words went with the key.",
    ]


def _carries(version: Record) -> str:
    return f" ({', '.join(version['aliases'])})" if version["aliases"] else ""


def _listed(lines: Any) -> list[str]:
    return [f"- {line}" for line in lines] or ["- nothing"]
