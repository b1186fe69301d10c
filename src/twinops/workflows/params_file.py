"""Write sections of `params.yaml` anew; comments, order and everything else stay as they are."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from twinops import params
from twinops.workflows.places import Places, write


def with_sections(text: str, sections: Mapping[str, Any], *, whole: Collection[str] = ()) -> str:
    """The file with these values; a value that stands there already keeps its place and its comment.

    Sections named in `whole` hold nothing else afterwards; of others what is not named stays.

    Raises:
        ParamsError: the file would hold a mistake.
    """
    file = YAML()
    file.Representer = _WithNull
    file.width, file.preserve_quotes = 10_000, True
    file.indent(mapping=2, sequence=4, offset=2)
    tree = file.load(text) or CommentedMap()
    for name in whole:
        tree[name] = CommentedMap()
    _put(tree, sections)
    out = io.StringIO()
    file.dump(tree, out)
    params.parse(yaml.safe_load(out.getvalue()))
    return out.getvalue()


def put_sections(places: Places, sections: Mapping[str, Any]) -> None:
    """Write them into the project's `params.yaml`.

    Raises:
        ParamsError: it would hold a mistake; then nothing is written.
    """
    write(places.params, with_sections(places.params.read_text(encoding="utf-8"), sections))


class _WithNull(RoundTripRepresenter):
    """Nothing is written as `null`, not as an empty place."""


_WithNull.add_representer(type(None), lambda made, _: made.represent_scalar("tag:yaml.org,2002:null", "null"))


def _put(there: CommentedMap, wanted: Mapping[str, Any]) -> None:
    for name, value in wanted.items():
        if isinstance(value, Mapping):
            if not isinstance(there.get(name), CommentedMap):
                there[name] = CommentedMap()
            _put(there[name], value)
        elif isinstance(value, list | tuple):
            there[name] = _listed(there.get(name), list(value))
        elif there.get(name) != value:
            # in quotes: DVC refuses YAML's own days
            there[name] = DoubleQuotedScalarString(value) if isinstance(value, str) else value


def _listed(there: Any, wanted: list[Any]) -> CommentedSeq:
    """The same list object where there is one, so that its comment stays."""
    if isinstance(there, CommentedSeq):
        if list(there) != wanted:
            there[:] = wanted
        return there
    made = CommentedSeq(wanted)
    made.fa.set_flow_style()
    return made
