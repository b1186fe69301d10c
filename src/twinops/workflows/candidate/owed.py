"""List what only people can say of this project and nobody has said yet, each with file and line."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from twinops.data.own_sources.law import law_of
from twinops.entities.consent import LegalBasis
from twinops.governance.open_fields import OWNER, OpenField
from twinops.own_params import OwnParams
from twinops.params import Params
from twinops.workflows.compliance_files import open_in
from twinops.workflows.pipeline.lawful import assessed
from twinops.workflows.places import Places
from twinops.workflows.policy_file import assessments

SOURCES = "params.yaml"
INTERESTS = "interests.yaml"


def owed(places: Places, params: Params) -> tuple[OpenField, ...]:
    """Every open place of the declarations, before anything was measured, too."""
    opened = (*open_in(places), *_interests(places, params))
    found = [*_of_sources(params.own), *((one, places.compliance / one.file) for one in opened)]
    texts = {path: path.read_text(encoding="utf-8") for path in {p or places.params for _, p in found}}
    nodes = {path: yaml.compose(text, Loader=yaml.SafeLoader) for path, text in texts.items()}
    return tuple(
        replace(one, file=_named(one, path, places), line=_line(nodes[path or places.params], one.field))
        for one, path in found
    )


def _named(one: OpenField, path: Path | None, places: Places) -> str:
    return path.relative_to(places.root).as_posix() if path else one.file


def _of_sources(own: OwnParams) -> Iterator[tuple[OpenField, None]]:
    """Legal facts of the shop's own sources."""
    for name, said in own.root.items():
        for fact in said.open:
            for key in _keys(fact, said.legal.bases):
                yield OpenField(SOURCES, f"own.{name}.{key}", OWNER), None


def _interests(places: Places, params: Params) -> Iterator[OpenField]:
    """What rests on a legitimate interest that nobody has signed for, or not for that day."""
    signed, law = assessments(places, on=params.as_of), law_of(params.own)
    for source in sorted(law):
        mine = params.own.all_staged_as(source)
        lacking = [
            p.value
            for p, basis in law[source].bases.items()
            if mine and basis is LegalBasis.LEGITIMATE_INTEREST and p not in assessed(source, signed, params.own)
        ]
        for purpose in sorted(lacking):
            stands = f"an entry that is valid on {params.as_of} or longer, with source: {mine[0]}, purpose: {purpose}"
            yield OpenField(INTERESTS, f"assessments: {stands}", OWNER)


def _keys(fact: str, bases: object) -> Iterator[str]:
    if fact == "special_categories":
        yield "special_reviewed"
    elif fact == "bases" and isinstance(bases, dict):
        yield from (f"legal.bases.{purpose.value}" for purpose, b in bases.items() if b is LegalBasis.OPEN)
    else:
        yield f"legal.{fact}"


def _line(node: yaml.Node | None, field: str) -> int | None:
    """The line of a key, or of the deepest one above it that is there."""
    line, left = None, field
    while left and isinstance(node, yaml.MappingNode):
        keys = {str(key.value): (key, value) for key, value in node.value}
        name = next((n for n in sorted(keys, key=len, reverse=True) if left == n or left.startswith(f"{n}.")), None)
        if name is None:
            break
        key, node = keys[name]
        line, left = key.start_mark.line + 1, left[len(name) + 1 :]
    return line
