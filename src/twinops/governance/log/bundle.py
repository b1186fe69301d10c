"""Bind the files of an evidence bundle so that standard tools can check them: sums, and a page that says how."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping

from twinops.governance.assessment import answers
from twinops.governance.law import retention
from twinops.governance.markdown import code
from twinops.governance.policy import resolution

SUMS = "SHA256SUMS"
VERIFY = "VERIFY.md"
NAMESPACE = "twinops-bundle"
SIGNED = {
    "compliance/dpia/": answers.NAMESPACE,
    f"compliance/{resolution.FOLDER}/": resolution.NAMESPACE,
    retention.SOURCE: retention.NAMESPACE,
}
"""What the signatures beside people's files were made for."""
STRANGE = r"""! find . \( -name '*[[:cntrl:]]*' -o ! -type d \( ! -type f -o -links +1 \) \) | grep ."""
"""Links, hard ones too, anything that is no file, and names that hide something."""
ADDED = (
    f"! {{ cut -c67- {SUMS}; find . -type f ! -path ./{SUMS} ! -path ./{SUMS}.sig ! -path './{SUMS}.ts?' | cut -c3-; }}"
    " | LC_ALL=C sort | uniq -u | grep ."
)
TWICE = (
    """python3 -I -c "import json, pathlib; once = lambda p: dict(p) if len(dict(p)) == len(p) else 1 / 0;"""
    """ [json.loads(f.read_bytes(), object_pairs_hook=once) for f in pathlib.Path('.').rglob('*.json')]\""""
)
TWICE_TYPED = (
    r"""! find compliance -name '*.yaml' -exec awk 'FNR == 1 { split("", k) } /^[A-Za-z_]+:/"""
    r""" { sub(/:.*/, ""); if (k[$0]++) print FILENAME ": " $0 }' {} + | grep ."""
)


def sums(files: Mapping[str, bytes]) -> str:
    """The file that `sha256sum -c` reads; itself and its signature are not in it."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))


def verify_page(files: Mapping[str, bytes], *, model: str, key: str, signers: Mapping[str, str]) -> str:
    """`VERIFY.md`: every command, and what it tells and does not tell. No twinops is needed.

    `signers`: who must have signed which file, as `allowed_signers` names a person in an office.
    """
    lines = [
        f"# How to check this bundle: {code(model)}, candidate {code(key[:12])}",
        "",
        "Standard tools are enough: `sha256sum`, `find`, `awk`, Python, and OpenSSH's `ssh-keygen`. Run each command",
        "in this folder; each ends with 0 and prints no complaint, or names what is wrong.",
        "",
        "## 1. Nothing was changed, nothing is missing, nothing was added, and every file says one thing",
        "",
        "```",
        f"sha256sum --strict -c {SUMS}",
        STRANGE,
        ADDED,
        TWICE,
        TWICE_TYPED,
        "```",
        "",
        "In order: every listed file is as it was; there are no links; no file is there that is not listed; no key",
        "stands twice in a JSON file; none stands twice in a file that people typed.",
        "",
        "## 2. Who vouches for it",
        "",
        *_vouched(signers.get(SUMS)),
        "",
        "## 3. What people answered, advised and decided",
        "",
        *_answered(files, signers),
        "",
        "## What this tells, and what not",
        "",
        "- The sums tell that the files are the ones that were put together. A signature tells which key signed them.",
        "- Each command of a signature names the office that was asked and the person who wrote: another's is none.",
        "- A key is a person's only if you know so: compare `allowed_signers`, made from the file",
        "  `compliance/offices.yaml`, with a copy from someone you trust.",
        "- `decision.json` follows from `judged-evidence.json` and the policy; `twinops decide` repeats it.",
        "- A gate that passes says that its condition is met by this evidence. No conformity with a law is declared.",
        "",
        "## A date that nobody here could forge (optional)",
        "",
        "A time stamp (RFC 3161) of the sums, from an authority outside, proves that they existed by then. Send it the",
        "query by HTTP POST as `application/timestamp-query`; its answer is the `.tsr`:",
        "",
        "```",
        f"openssl ts -query -data {SUMS} -sha256 -cert -out {SUMS}.tsq",
        f"openssl ts -verify -data {SUMS} -in {SUMS}.tsr -CAfile authority.pem",
        "```",
    ]
    return "\n".join(lines) + "\n"


def _vouched(signed_by: str | None) -> list[str]:
    if signed_by is None:
        return ["**Nobody signed this bundle.** The sums alone say nothing about who made them."]
    return ["```", _verified(SUMS, signed_by, NAMESPACE), "```"]


def _answered(files: Mapping[str, bytes], signers: Mapping[str, str]) -> list[str]:
    """A line per signature: of the office that was asked, by the author."""
    found = [n.removesuffix(".sig") for n in sorted(files) if n.endswith(".sig") and n.startswith(tuple(SIGNED))]
    if not found:
        return ["**Nobody answered or signed anything.**"]
    spaces = {n: next(space for folder, space in SIGNED.items() if n.startswith(folder)) for n in found}
    return ["```", *(_verified(n, signers.get(n, "nobody"), spaces[n]) for n in found), "```"]


def _verified(name: str, who: str, namespace: str) -> str:
    file, person = shlex.quote(name), shlex.quote(who)
    return f"ssh-keygen -Y verify -f allowed_signers -I {person} -n {namespace} -s {file}.sig < {file}"
