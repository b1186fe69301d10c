"""Declare a source as a data contract (ODCS) says it, with a dry run before anything is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from twinops import params as params_file
from twinops.data.own_sources.odcs import from_contract
from twinops.errors import DataError
from twinops.governance.reading import within_bounds
from twinops.own_kinds import staged_as
from twinops.params import SwitchesParams
from twinops.whole_files import write as leave
from twinops.workflows.declared_use import against_nobody
from twinops.workflows.params_file import with_sections
from twinops.workflows.places import Places
from twinops.workflows.sources.check import Checked, check

MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Adopted:
    """The source that a contract became, what of the contract is kept beside it unread, notes, and a dry run."""

    name: str
    kind: str
    not_taken: tuple[str, ...]
    notes: tuple[str, ...]
    checked: Checked
    written: bool


def adopt(file: Path, write: bool, *, places: Places) -> Adopted:
    """Read a contract and what it describes, and with `write` declare it.

    Raises:
        DataError: it is no contract that a source can be made of, or what it describes cannot be read.
        ParamsError: `params.yaml` would not be one that can be acted on.
    """
    found = from_contract(_read(file))
    before, text = params_file.read(places.params), places.params.read_text(encoding="utf-8")
    own = {n: said.model_dump(mode="json", exclude_unset=True) for n, said in before.own.root.items()}
    source = staged_as(found.body["kind"])
    on = {"switches": {source: True}} if source in SwitchesParams.known() else {}
    declared = with_sections(text, {"own": {**own, found.name: found.body}, **on}, whole=("own",))
    draft = params_file.parse(yaml.safe_load(declared))
    against_nobody(places, draft.own)
    checked = check(found.name, places=places, params=draft, own=draft.own)
    if write:
        leave(places.params, declared)
    return Adopted(found.name, found.body["kind"], found.not_taken, found.notes, checked, write)


def _read(file: Path) -> Any:
    """The contract's YAML, within bounds; aliases, which can multiply, are not followed."""
    try:
        data = file.read_bytes()[: MAX_BYTES + 1]
        if len(data) > MAX_BYTES:
            raise DataError(f"{file.name} has more than {MAX_BYTES:,} bytes.", hint="A contract is a page or two.")
        text = data.decode("utf-8-sig")
        within_bounds(text)
        return yaml.safe_load(text)
    except OSError:
        raise DataError(f"There is no readable file {file.name}.", hint="Check its name.") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as problem:
        if "aliases" in str(problem):
            raise DataError(f"{file.name} repeats parts by aliases.", hint="Write them out.") from None
        raise DataError(f"{file.name} is no YAML that can be read.", hint="Save it as UTF-8.") from None
