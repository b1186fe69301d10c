"""Write sections of `params.yaml` anew; comments, order and everything else stay as they are."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Mapping
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from ruamel.yaml.tokens import CommentToken

from twinops import params
from twinops.whole_files import write
from twinops.workflows.places import Places

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
    params.parse(_Loader(out.getvalue()).get_single_data())
    return _remarks_near(out.getvalue(), before=text)


def put_sections(places: Places, sections: Mapping[str, Any]) -> None:
    """Write them into the project's `params.yaml`.

    Raises:
        ParamsError: it would hold a mistake; then nothing is written.
    """
    write(places.params, with_sections(places.params.read_text(encoding="utf-8"), sections))


_REMARK = re.compile(r"^(?P<said>[^#]*?\S) {2,}(?P<remark># .*)$")
_COLUMN = 20
"""Where a remark begins, or two blanks behind a longer value."""


def _remarks_near(text: str, *, before: str) -> str:
    """Remarks beside values that were written anew, where remarks stand: they were set for the value before."""
    old = set(before.splitlines())
    lines = [line if line in old else _remark_near(line) for line in text.splitlines()]
    return "\n".join(lines) + "\n"


def _remark_near(line: str) -> str:
    found = _REMARK.match(line)
    if found is None or found["said"].count('"') % 2 or found["said"].count("'") % 2:
        return line
    return f"{found['said']:<{_COLUMN}}".ljust(len(found["said"]) + 2) + found["remark"]


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
            begun = there.get(name) == []
            there[name] = _listed(there.get(name), [_as_meant(v) for v in value])
            if begun:
                _gap_after(there, name)
        elif there.get(name) != value:
            # in quotes: DVC refuses YAML's own days
            there[name] = DoubleQuotedScalarString(value) if isinstance(value, str) else value


_SIGNS = frozenset("?:,[]{}#&*!|>'\"%@`\n")
"""Parsers differ about words with these in a list."""


def _as_meant(value: Any) -> Any:
    """In quotes where YAML 1.1, which DVC and PyYAML read, takes a word for something else: yes, no, 1:30."""
    if isinstance(value, list | tuple):
        return [_as_meant(v) for v in value]
    if not isinstance(value, str):
        return value
    same = not _SIGNS & {*value} and _Loader(f"[{value}]").get_single_data() == [value]
    return value if same else DoubleQuotedScalarString(value)


def _gap_after(there: CommentedMap, name: str) -> None:
    """The empty line that stood behind an empty list stands behind its last item."""
    remark = (there.ca.items.get(name) or (None, None, None))[2]
    if there[name] and remark is not None and remark.value.endswith("\n\n"):
        remark.value = f"{remark.value.rstrip()}\n"
        there[name].ca.items[len(there[name]) - 1] = [CommentToken("\n\n", remark.start_mark, None), None, None, None]


def _listed(there: Any, wanted: list[Any]) -> CommentedSeq:
    """The same list object where there is one, so that its comment stays, and what stood behind its last item."""
    if isinstance(there, CommentedSeq):
        if list(there) != wanted:
            tail = there.ca.items.pop(len(there) - 1, None)
            there[:] = wanted
            if tail is not None and wanted:
                there.ca.items[len(wanted) - 1] = tail
            elif not wanted:
                there.fa.set_flow_style()
        return there
    made = CommentedSeq(wanted)
    made.fa.set_flow_style()
    return made
