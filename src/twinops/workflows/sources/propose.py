"""Propose how to declare a shop's own files, say what would become of them, and write that into `params.yaml`."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from twinops import params as params_file
from twinops.data.own_sources.proposal import Proposal, Said, ShopFiles, look
from twinops.errors import DataError
from twinops.own_params import staged_as
from twinops.params import Params, SwitchesParams
from twinops.workflows.declared_use import against_nobody
from twinops.workflows.places import Places
from twinops.workflows.sources.check import Checked, check

MOST_ROWS = 100_000_000


@dataclass(frozen=True)
class Proposed:
    """What was proposed, what would become of each source, and whether it stands in `params.yaml` now."""

    proposal: Proposal
    checked: tuple[Checked, ...]
    months: tuple[str, ...]
    written: bool


def propose(files: ShopFiles, said: Said, write: bool, *, places: Places) -> Proposed:
    """Look at the files, read all of them once without keeping anything, and with `write` declare them.

    Raises:
        DataError: a file cannot be read, what is needed is not found in it, or nothing of it would be taken.
        ParamsError: they are data of real people and the project's controller is made up, or `params.yaml` would not be
            one that can be acted on.
    """
    path = places.root / "params.yaml"
    before = params_file.read(path)
    proposal = _at_home(look(files, said), places.root)
    text = path.read_text(encoding="utf-8")
    draft = _parsed(edited(text, _sections(proposal, before, ())))
    against_nobody(places, draft.own)
    checked = tuple(check(name, places=places, params=draft, own=draft.own) for name in proposal.own)
    _refuse_nothing(checked)
    months = _months(checked)
    checked = tuple(replace(found, not_collected=(), without_rows=()) for found in checked)
    if write:
        final = edited(text, _sections(proposal, before, months))
        _parsed(final)
        path.write_text(final, encoding="utf-8")
    return Proposed(proposal, checked, months, write)


def edited(text: str, sections: Mapping[str, Any]) -> str:
    """`params.yaml` with some values changed; comments and everything else stay as they are."""
    made = YAML()
    made.width, made.preserve_quotes = 10_000, True
    made.representer.add_representer(
        type(None), lambda writer, _: writer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    tree = made.load(text)
    for name, value in sections.items():
        _set(tree, name, value)
    out = io.StringIO()
    made.dump(tree, out)
    return out.getvalue()


def _set(tree: CommentedMap, name: str, value: Any) -> None:
    """Into a mapping go single values; a list is written as lists of this file are, in brackets."""
    if isinstance(value, Mapping) and isinstance(tree.get(name), CommentedMap) and name != "own":
        for key, inner in value.items():
            _set(tree[name], key, inner)
    else:
        tree[name] = _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return CommentedMap({key: _plain(inner) for key, inner in value.items()})
    if isinstance(value, list | tuple):
        listed = CommentedSeq(value)
        listed.fa.set_flow_style()
        return listed
    return value


def _sections(proposal: Proposal, before: Params, months: tuple[str, ...]) -> dict[str, Any]:
    """What the proposal changes. Sources of other kinds stay declared; the demonstration's are switched off."""
    kinds = {said["kind"] for said in proposal.own.values()}
    stays = {n: said for n, said in before.own.root.items() if said.kind not in kinds and n not in proposal.own}
    kept = {n: said.model_dump(mode="json", exclude_unset=True) for n, said in stays.items()}
    own = kept | proposal.own
    mine = {staged_as(said["kind"]) for said in own.values()}
    changed = {
        "vault": {"keys": "store"},
        "sources": {"max_rows": max(MOST_ROWS, before.sources.max_rows)},
        "own": own,
        "switches": {name: name in mine for name in SwitchesParams.known()},
    }
    return changed | ({"months": list(months)} if months else {})


def _parsed(text: str) -> Params:
    return params_file.parse(yaml.safe_load(text))


def _at_home(proposal: Proposal, root: Path) -> Proposal:
    """Files of the project are named from its folder, so that it can be moved."""
    own = {name: said | {"path": _from(root, Path(said["path"]))} for name, said in proposal.own.items()}
    return replace(proposal, own=own)


def _from(root: Path, path: Path) -> str:
    full, home = path.resolve(), root.resolve()
    return full.relative_to(home).as_posix() if full.is_relative_to(home) else full.as_posix()


def _refuse_nothing(checked: tuple[Checked, ...]) -> None:
    for found in checked:
        if found.nothing:
            why = "; ".join(f"{m.reason} in {', '.join(m.lines)}" for m in found.mistakes) or "it holds no record"
            raise DataError(
                f"Nothing of {found.name} would be taken: {why}.",
                hint="Say what was taken for something else, as in --column time=NAME or --date %d.%m.%Y.",
            )


def _months(checked: tuple[Checked, ...]) -> tuple[str, ...]:
    """From the first month with a receipt to the last, those without one included."""
    there = sorted({m for found in checked for m in found.months})
    if not there:
        return ()
    (first, last) = ((int(m[:4]) * 12 + int(m[5:]) - 1) for m in (there[0], there[-1]))
    return tuple(f"{n // 12:04}-{n % 12 + 1:02}" for n in range(first, last + 1))
