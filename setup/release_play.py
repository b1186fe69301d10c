"""Make a play of this scratch clone: invented people with keys, their answers and signatures, and a policy of the play.

usage: python setup/release_play.py           (after `make run`, in a clone made for it; see docs/release.md)

The shipped demonstration is refused, and should be: nobody assessed it, and its decision fails the test on fairness.
This plays the people who would assess it, and judges by a policy in which fairness and influence do not block.
Everything it writes says that it is a play; nothing of it is a decision about any model. It works on a branch `play`,
leaves private keys in `.twinops/play`, and commits as the invented scientist.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

from twinops.governance.assessment import questions
from twinops.governance.people.offices import DATA_OWNER, DPO, RISK_OFFICER, office_asked
from twinops.wiring import Project, open_project

ADVISORY = ("fairness", "influence")
PEOPLE = {
    RISK_OFFICER: ("Rita Risk", "rita", "risk-officer"),
    DATA_OWNER: ("Olga Owner", "olga", "data-owner"),
    DPO: ("Dora Dpo", "dora", "dpo"),
}
"""Name, key and account of each office."""
SCIENTIST = ("Sam Scientist", "scientist@example.org")
CHOSEN = {
    "stance": "favourable",
    "severity": "2",
    "likelihood": "2",
    "residual_severity": "1",
    "residual_likelihood": "1",
}
SAYS = yaml.safe_load(Path(__file__).with_name("played_assessment.yaml").read_text(encoding="utf-8"))
LAST = ("dpo_advice", "decision")


def main(root: Path) -> int:
    """Write the play, open the final hold-out for it, run what depends on both, commit."""
    project, keys = open_project(root), root / ".twinops" / "play"
    _run(root, "git", "switch", "-q", "-c", "play")
    keys.mkdir(parents=True)
    for _, key, _ in PEOPLE.values():
        _run(root, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "play", "-f", str(keys / key))
    _write(root / "compliance" / "offices.yaml", _offices(keys))
    _write(root / "compliance" / "policy.yaml", _policy(project.places.compliance / "policy.yaml"))
    _assess(project, keys)
    why = "A play: the release of the README is judged by households that chose nothing."
    _run(root, "twinops", "holdout", "open", "--by", "scientist", "--why", why)
    _run(root, "twinops", "repro")
    _run(root, "git", "add", "-A")
    name, email = SCIENTIST
    who = ("-c", f"user.name={name}", "-c", f"user.email={email}")
    _run(root, "git", *who, "commit", "-q", "-m", "A play: invented people, their answers, a policy of the play")
    sys.stdout.write("This clone is a play now, on the branch `play`; nothing in it is a decision about any model.\n")
    return 0


def _offices(keys: Path) -> str:
    lines = [
        f"  - {{name: {name}, account: {account}, emails: [{key}@play.example], office: {office},"
        f" key: {(keys / key).with_suffix('.pub').read_text(encoding='utf-8').strip()}}}"
        for office, (name, key, account) in PEOPLE.items()
    ]
    lines.append(f"  - {{account: scientist, emails: [{SCIENTIST[1]}]}}")
    return "\n".join(
        ["# A PLAY: nobody of these exists", 'version: "play"', "gate_runners: [ci]", "people:", *lines, ""]
    )


def _policy(path: Path) -> str:
    """The shipped policy, in which what the demonstration's decision fails only advises."""
    text = path.read_text(encoding="utf-8")
    for gate in ADVISORY:
        text = text.replace(f"    gate: {gate}\n", f"    gate: {gate}\n    severity: advisory   # a play\n")
    text = re.sub(r"^version: .*$", 'version: "play"', text, flags=re.MULTILINE)
    return f"# A PLAY: fairness and influence advise here; the shipped policy blocks on both\n{text}"


def _assess(project: Project, keys: Path) -> None:
    """Everybody answers what is asked of them, and signs; advice and decision come last."""
    asked = questions.read((project.places.compliance / "dpia.yaml").read_text(encoding="utf-8")).human.asked()
    for field in [*(f for f in asked if f not in LAST), *LAST]:
        name, key, _ = PEOPLE[office_asked(asked[field].who)]
        answer = {part: _said(field, part) for part in questions.parts(field)}
        project.run("dpia.answer", field=field, answer=answer, by=name)
        project.run("dpia.sign", email=f"{key}@play.example", key=keys / key, fields=(field,))


def _said(field: str, part: str) -> str:
    if (field, part) == ("decision", "answer"):
        return "approve"
    beside = f" The gates {' and '.join(ADVISORY)} advise here." if part == "justification" else ""
    return CHOSEN.get(part) or f"{SAYS[field][part]}{beside}"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _run(root: Path, *command: str) -> None:
    subprocess.run(command, cwd=root, check=True)


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
