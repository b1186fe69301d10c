"""Propose how to declare a shop's own files, say what would become of them, and write that into `params.yaml`."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from twinops import params as params_file
from twinops.data.own_sources.declared import MONTH
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.drafting import Said
from twinops.data.own_sources.proposal import Proposal, ShopFiles, look
from twinops.errors import DataError
from twinops.own_params import staged_as
from twinops.params import Params, SwitchesParams
from twinops.ports import Engine
from twinops.workflows.declared_use import against_nobody
from twinops.workflows.params_file import with_sections
from twinops.workflows.places import Places
from twinops.workflows.places import write as leave
from twinops.workflows.policy_file import count_contacts_in
from twinops.workflows.sources.check import Checked, check
from twinops.workflows.sources.windows import Windows, windows

MOST_ROWS = 100_000_000


@dataclass(frozen=True)
class Proposed:
    """What was proposed, what would become of each source, which windows, and whether `params.yaml` says it now."""

    proposal: Proposal
    checked: tuple[Checked, ...]
    windows: Windows
    written: bool


def propose(files: ShopFiles, said: Said, write: bool, *, places: Places, engine: Engine) -> Proposed:
    """Look at the files, read all of them without keeping anything, and with `write` declare them.

    Raises:
        DataError: a file cannot be read, what is needed is not found in it, or nothing of it would be taken.
        ParamsError: they are data of real people and the project's controller is made up, or `params.yaml` would not be
            one that can be acted on.
    """
    before, text = params_file.read(places.params), places.params.read_text(encoding="utf-8")
    proposal = _at_home(look(files, said), places.root)
    declared = with_sections(text, _sections(proposal, before, places.root), whole=("own",))
    draft = params_file.parse(yaml.safe_load(declared))
    against_nobody(places, draft.own)
    checked = tuple(check(name, places=places, params=draft, own=draft.own) for name in proposal.own)
    _refuse_nothing(checked)
    found = windows(write=False, places=places, params=draft, engine=engine)
    final = with_sections(declared, found.params)
    if write:
        leave(places.params, final)
        count_contacts_in(places, params_file.parse(yaml.safe_load(final)).features.horizon_days)
    return Proposed(proposal, checked, replace(found, written=write), write)


def _sections(proposal: Proposal, before: Params, root: Path) -> dict[str, Any]:
    """What the proposal changes. Sources of other kinds stay declared; the demonstration's are switched off."""
    kinds = {said["kind"] for said in proposal.own.values()}
    stays = {n: said for n, said in before.own.root.items() if said.kind not in kinds and n not in proposal.own}
    kept = {n: said.model_dump(mode="json", exclude_unset=True) for n, said in stays.items()}
    own = kept | proposal.own
    mine = {staged_as(said["kind"]) for said in own.values()}
    return {
        "vault": {"keys": "store"},
        "sources": {"max_rows": max(MOST_ROWS, before.sources.max_rows)},
        "months": _batches(proposal.own["sales"], root),
        "own": own,
        "switches": {name: name in mine for name in SwitchesParams.known()},
    }


def _batches(sales: dict[str, Any], root: Path) -> list[str]:
    """Everything in one go, or the month of every file, until the receipts are counted."""
    if sales["reads"] != "folder":
        return [WHOLE]
    before, after = sales["files"].split("{month}")
    named = (p.name.removeprefix(before).removesuffix(after) for p in (root / sales["path"]).iterdir())
    return sorted(n for n in named if MONTH.fullmatch(n))


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
