"""A project has every page that its files name."""

from __future__ import annotations

import re

from twinops.cli.init import installed
from twinops.workflows.project.own_files import owners, renewed


def test_no_page_that_a_project_s_files_name_is_missing() -> None:
    texts = {**renewed(installed(own=True)), **owners(installed(own=True), own=True)}
    named = {(path, page) for path, text in texts.items() for page in re.findall(r"docs/[\w/-]+\.md", text)}
    assert ("notebooks/train.py", "docs/notebooks.md") in named
    assert [f"{path} names {page}" for path, page in sorted(named) if page not in texts] == []


def test_no_link_of_its_pages_leads_nowhere() -> None:
    texts = renewed(installed(own=True))
    pages = {path: text for path, text in texts.items() if path.startswith("docs/")}
    links = {(path, to) for path, text in pages.items() for to in re.findall(r"\]\((?!https?:|#)([^)#]+)", text)}
    assert links
    assert [f"{path} -> {to}" for path, to in sorted(links) if f"docs/{to}" not in texts] == []
