"""Write what was said of a shop's sources into the declarations that ask the same, wherever these are still open.

The controller, whom to write to, and the basis of each purpose are asked once. What a person wrote there stays.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML

from twinops.governance.open_fields import is_said
from twinops.governance.people.offices import DATA_OWNER, DPO
from twinops.own_params import OwnParams
from twinops.whole_files import write
from twinops.workflows.compliance_files import offices_of
from twinops.workflows.places import Places


def answer(places: Places, own: OwnParams) -> None:
    """Fill `intended_use.yaml` and `dpia.yaml`, as far as they are there."""
    found = _Answers(own, {p.office: p.emails[0] for p in offices_of(places).people if p.office and p.emails})
    for name, fill in (("intended_use.yaml", found.use), ("dpia.yaml", found.assessment)):
        path = places.compliance / name
        if path.is_file():
            write(path, _edited(path.read_text(encoding="utf-8"), fill))


class _Answers:
    """What is known: the sources' own legal facts, and an address by office."""

    def __init__(self, own: OwnParams, mails: Mapping[str, str]) -> None:
        named = sorted({s.legal.controller for s in own.root.values() if is_said(s.legal.controller)})
        self.controller = " and ".join(named)
        self.owner, self.officer = mails.get(DATA_OWNER, ""), mails.get(DPO, "")
        self.bases = dict(_bases(own))

    def use(self, tree: Any) -> bool:
        """Name, contact and bases of `intended_use.yaml`; whether anything is new."""
        controller, contact = tree["controller"], self.officer or self.owner
        done = [_put(controller, "name", self.controller), _put(controller, "contact", contact)]
        done += [_put(tree["purposes"].get(p, {}), "legal_basis", basis) for p, basis in self.bases.items()]
        return any(done)

    def assessment(self, tree: Any) -> bool:
        """The actors of `dpia.yaml`, where nobody wrote any: recipients and processors stay to be said."""
        told = {"controller": self.controller, "contact": self.owner, "dpo_contact": self.officer}
        declared = tree.get("declared") or {}
        if declared.get("actors", "") is not None or not any(told.values()):
            return False
        declared["actors"] = {**{k: v or None for k, v in told.items()}, "processors": None, "recipients": None}
        return True


def _put(tree: Any, name: str, value: str) -> bool:
    """Say it where it is open."""
    if not value or is_said(str(tree.get(name, ""))):
        return False
    tree[name] = value
    return True


def _bases(own: OwnParams) -> Iterator[tuple[str, str]]:
    """The basis that most sources say for a purpose, of those that say one."""
    said: dict[str, list[str]] = {}
    for source in own.root.values():
        bases = source.legal.bases if isinstance(source.legal.bases, dict) else {}
        for purpose, basis in bases.items():
            if source.form.personal and is_said(basis.value):
                said.setdefault(purpose.value, []).append(basis.value)
    yield from ((purpose, _most(found)) for purpose, found in sorted(said.items()))


def _most(found: Iterable[str]) -> str:
    return Counter(sorted(found)).most_common(1)[0][0]


def _edited(text: str, fill: Callable[[Any], bool]) -> str:
    """The text with the answers; as it was where there is nothing to say."""
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = 10_000, True
    yaml.indent(mapping=2, sequence=4, offset=2)
    tree = yaml.load(text)
    if not fill(tree):
        return text
    out = io.StringIO()
    yaml.dump(tree, out)
    return out.getvalue()
