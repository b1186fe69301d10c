"""Every example in a docstring is run, module by module, and says what it gives."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import twinops

SOURCE = Path(twinops.__file__).parent
MODULES = [
    ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(SOURCE.rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_give_what_they_say(name):
    found = doctest.testmod(import_module(name))
    assert found.attempted > 0, f"{name} has '>>>' outside its docstrings: nobody would run it"
    assert found.failed == 0, f"{found.failed} of {found.attempted} examples are wrong"
