"""Bind the files of an evidence bundle so that standard tools can check them: sums, and a page that says how."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from twinops.governance.assessment import answers
from twinops.governance.markdown import code
from twinops.governance.policy import resolution

SUMS = "SHA256SUMS"
VERIFY = "VERIFY.md"
NAMESPACE = "twinops-bundle"
SIGNED = {"compliance/dpia/": answers.NAMESPACE, f"compliance/{resolution.FOLDER}/": resolution.NAMESPACE}
"""What the signatures beside people's files were made for."""


def sums(files: Mapping[str, bytes]) -> str:
    """The file that `sha256sum -c` reads; itself and its signature are not in it."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))


def verify_page(files: Mapping[str, bytes], *, model: str, key: str, signed_by: str | None) -> str:
    """`VERIFY.md`: every command, and what it tells and does not tell. No twinops is needed."""
    lines = [
        f"# How to check this bundle: {code(model)}, candidate {code(key[:12])}",
        "",
        "Standard tools are enough: `sha256sum`, and OpenSSH's `ssh-keygen`. Run the commands in this folder.",
        "",
        "## 1. Nothing was changed, nothing is missing",
        "",
        "```",
        f"sha256sum --strict -c {SUMS}",
        "```",
        "",
        "## 2. Who vouches for it",
        "",
        *_vouched(signed_by),
        "",
        "## 3. What people answered, advised and decided",
        "",
        *_answered(files),
        "",
        "## What this tells, and what not",
        "",
        "- The sums tell that the files are the ones that were put together. A signature tells which key signed them.",
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


def _answered(files: Mapping[str, bytes]) -> list[str]:
    """A line per signature; the e-mail is read from the key, because the file does not hold it."""
    found = [n for n in sorted(files) if n.endswith(".sig") and n.startswith(tuple(SIGNED))]
    if not found:
        return ["**Nobody answered or signed anything.**"]
    lines = []
    for name in found:
        namespace = next(space for folder, space in SIGNED.items() if name.startswith(folder))
        who = f"$(ssh-keygen -Y find-principals -f allowed_signers -s {name})"
        lines.append(_verified(name.removesuffix(".sig"), f'"{who}"', namespace))
    return ["```", *lines, "```"]


def _verified(name: str, who: str, namespace: str) -> str:
    return f"ssh-keygen -Y verify -f allowed_signers -I {who} -n {namespace} -s {name}.sig < {name}"
