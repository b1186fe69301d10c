"""JupyterLab for this project: on this machine only, silent, percent-format notebooks opened as notebooks."""

from pathlib import Path

from traitlets.config import get_config

c = get_config()
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.root_dir = str(Path(__file__).resolve().parents[2])
# Results of a session go to the git-ignored twin in notebooks/.ipynb/, which the file browser need not show.
c.ContentsManager.allow_hidden = True
c.LabApp.app_settings_dir = str(Path(__file__).resolve().parent)
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.news_url = None
c.LabApp.default_url = "/lab/tree/notebooks"
