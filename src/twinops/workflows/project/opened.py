"""The demonstration's declarations with everything opened that only a person of the new shop may say.

What stays is what twinops proposes: the shape of the decision, its groups and limits, the questions. Who answers them
is marked (`governance/open_fields`), and no generator fills one.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from datetime import date

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from twinops.data.own_sources.cell_values import age_band
from twinops.governance.open_fields import MARK
from twinops.governance.people.offices import OFFICES, ROLES

OWNER, OFFICER, CONTROLLER = "the controller's data owner", "the risk officer", "the controller"
UNKNOWN = ("solely_automated", "legal_or_similarly_significant_effect", "recipient_draws_strongly_on_score")
HEADS = {
    "intended_use.yaml": "What the twin is for, said by the controller's data owner.",
    "dpia.yaml": "The controller's part of the data protection impact assessment (GDPR art. 35).",
    "policy.yaml": "What a candidate must show before anyone may promote it, as proposed; a risk officer adopts it.",
    "offices.yaml": "Who holds which office, whose commits are whose, and which accounts run the gates.",
    "params.yaml": "What data scientists may turn; `as_of` is the clock of the pipeline.",
}
"""In place of the demonstration's first lines."""
MEASURED = re.compile("chosen on|docs/adr|nothing was shown|before the held-out|real households")
THEIR_WORDS = {"Households": "Customers", "households": "customers", "Household": "Customer", "household": "customer"}
SAID = f'"{MARK}..." and `open` stand where a person has to say it. `twinops status` lists what is open.'


def left_open(texts: Mapping[str, str]) -> dict[str, str]:
    """The same files, open."""
    return {path: _opened(path.rpartition("/")[2], text) for path, text in texts.items()}


def said_by(who: str, about: str = "") -> str:
    """The text that stands for one that is owed."""
    return f"{MARK}{who}{f': {about}' if about else ''}"


def _opened(name: str, text: str) -> str:
    if name not in OPENERS:
        return text
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = 10_000, True
    yaml.indent(mapping=2, sequence=4, offset=2)
    tree = yaml.load(text)
    OPENERS[name](tree)
    out = io.StringIO()
    yaml.dump(tree, out)
    lines = out.getvalue().splitlines(keepends=True)
    first = next(n for n, line in enumerate(lines) if not line.startswith("#"))
    told = "".join(_neutral(line, bare=name == "policy.yaml") for line in lines[first:])
    return f"# {HEADS[name]}\n# {SAID}\n{told}"


def _neutral(line: str, *, bare: bool) -> str:
    """Without remarks on what was measured or chosen on the demonstration (`bare`: on anything); in neutral words."""
    text, sign, remark = line.partition("#") if line.lstrip().startswith("#") else line.partition("  #")
    if sign and (bare or MEASURED.search(remark)):
        line = f"{text.rstrip()}\n" if text.strip() else ""
    for theirs, ours in THEIR_WORDS.items():
        line = re.sub(rf"\b{theirs}\b", ours, line)
    return line


def _use(tree: CommentedMap) -> None:
    tree["version"] = said_by(OWNER, "a name for this version, such as today's day")
    tree["title"], tree["summary"] = said_by(OWNER), said_by(OWNER, "what it keeps and foretells of whom")
    tree["controller"].update(name=said_by(CONTROLLER), contact=said_by(CONTROLLER), synthetic=False)
    for purpose in tree["purposes"].values():
        purpose.update(legal_basis="open", why=said_by(OWNER))
    decision = tree["decision"]
    decision.update({name: said_by(OWNER) for name in ("name", "population", "effect", "contest")})
    decision.update(dict.fromkeys(UNKNOWN, "unknown"))
    tree["not_for"] = CommentedSeq([said_by(OWNER, "uses that are not declared, one a line")])
    tree.pop("model_license", None)  # whose customers it learned from decides that
    tree["fairness"]["attributes"] = CommentedMap()  # none planned: what the shop's own profiles hold is assessed
    for part in ("ai_act", "consumer_law"):
        for fact in tree[part]["facts"].values():
            fact.update(value="unknown", why=said_by(OWNER))


def _assessment(tree: CommentedMap) -> None:
    tree["version"], tree["synthetic_controller"] = said_by(OWNER, "a name for this version"), False
    tree["need"] = CommentedMap()
    for name in tree["declared"]:
        tree["declared"][name] = None


def _policy(tree: CommentedMap) -> None:
    _gates(tree)
    tree["version"] = said_by(OFFICER, "a name for the policy that they adopt")


def _gates(tree: CommentedMap) -> None:
    """Groups by age alone: further ones are whatever the shop's own profiles hold."""
    limits = {gate["gate"]: gate["limits"] for gate in tree["gates"] if "limits" in gate}
    limits["fairness"].update(attributes=CommentedSeq(["age", "gender"]), justifiable=CommentedSeq())
    groups = limits["influence"]["groups"]
    for name in [name for name, of in groups.items() if set(of) != {"age"}]:
        del groups[name]
    # a year of birth is kept as a band of age, whose youngest of full age is another than the demonstration's
    groups["young_adults"]["age"].insert(0, age_band(18))


def _offices(tree: CommentedMap) -> None:
    tree["version"] = said_by(CONTROLLER, "who holds which office, below; then a name for this version")
    held = {one["office"]: one for one in tree["people"] if "office" in one}
    until = next(iter(held.values()))["valid_until"]
    for office, account in ROLES.items():
        if office not in held:
            held[office] = CommentedMap(account=account, office=office, valid_until=date.fromisoformat(str(until)))
            held[office].fa.set_flow_style()
    tree["people"] = CommentedSeq(held[office] for office in OFFICES)


def _params(tree: CommentedMap) -> None:
    tree["vault"]["keys"] = "store"
    tree["subject"].update(one="customer", many="customers")
    ages = "whose birthday is not known is let in: nobody has said that they are of full age; refused: they are out"
    tree["ages"].yaml_add_eol_comment(ages, "unknown")
    tree["tastes"]["not_goods"] = CommentedSeq()
    for name in tree["switches"]:
        tree["switches"][name] = False


OPENERS: Mapping[str, Callable[[CommentedMap], None]] = {
    "intended_use.yaml": _use,
    "dpia.yaml": _assessment,
    "policy.yaml": _policy,
    "offices.yaml": _offices,
    "params.yaml": _params,
}
