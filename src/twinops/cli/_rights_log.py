"""Tell the audit log of a registry in this folder what was written into the ledger of rights."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from twinops.cli._answer import talk

if TYPE_CHECKING:
    from twinops.wiring import Project


def keep(project: Project) -> None:
    """Log what is not logged yet, as the person at this machine. A registry that is not here does it when it starts."""
    from twinops.server.registry.home import DATABASE, Home

    home = Home(project.root)
    if not (os.environ.get(DATABASE) or (project.root / "mlflow.db").is_file()) or not home.folder.is_dir():
        return
    from twinops.errors import TwinopsError
    from twinops.server.app.adopt import local
    from twinops.server.registry import callers, rights_log
    from twinops.server.registry.store import SCHEME, GovernedStore

    try:
        store = GovernedStore(f"{SCHEME}{home.database}", home=home)
        with callers.acting(local()):
            rights_log.catch_up(store, project.rights, account=local())
    except (TwinopsError, OSError) as problem:
        talk(f"Kept in the ledger of rights; the audit log follows when the registry starts: {problem}")
