"""Tell the audit log of a registry in this folder what was written into the ledger of rights."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from twinops.cli._answer import talk

if TYPE_CHECKING:
    from twinops.wiring import Project


def keep(project: Project) -> None:
    """Log what is not logged yet, each under who took it down. A registry elsewhere does it at the officer's page."""
    from twinops.server.registry.home import DATABASE, Home

    home = Home(project.root)
    if not (os.environ.get(DATABASE) or (project.root / "mlflow.db").is_file()) or not home.folder.is_dir():
        return
    from twinops.errors import TwinopsError
    from twinops.server.registry import rights_log
    from twinops.server.registry.store import SCHEME, GovernedStore

    try:
        store = GovernedStore(f"{SCHEME}{home.database}", home=home)
        rights_log.catch_up(store, project.rights)
    except (TwinopsError, OSError) as problem:
        talk(f"Kept in the ledger of rights; the audit log follows when the registry starts: {problem}")
