"""Write a declared source as a data contract (ODCS)."""

import yaml

from twinops.data.own_sources.odcs import as_contract
from twinops.errors import ParamsError
from twinops.own_params import OwnParams


def contract(name: str, *, own: OwnParams) -> str:
    """The contract of a declared source, as YAML.

    Raises:
        ParamsError: there is no such source.
    """
    if name not in own.root:
        known = ", ".join(own.root) or "none yet"
        raise ParamsError(f"No source of your own is called {name!r}.", hint=f"Declared in params.yaml, own: {known}.")
    return yaml.safe_dump(as_contract(name, own.root[name]), sort_keys=False, allow_unicode=True, width=120)
