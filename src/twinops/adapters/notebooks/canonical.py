"""Write an executed notebook so that two runs give the same bytes: no times, no random ids, no chatter."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")


def canonical(notebook: dict[str, Any], *, dropped_tags: frozenset[str] = frozenset({"dev"})) -> str:
    """The notebook as JSON text: sorted keys, stable cell ids, cells with a dropped tag left out.

    Kept are sources, tags and outputs. Dropped are execution times, papermill's record of them, stderr, and the patch
    version of Python. stdout that came in several pieces is joined: how it was cut depends on timing.
    """
    cells = [c for c in notebook["cells"] if not dropped_tags & set(c.get("metadata", {}).get("tags", ()))]
    counter = iter(range(1, len(cells) + 1))
    body = {
        "cells": [_cell(cell, index, counter) for index, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _cell(cell: dict[str, Any], index: int, counter: Any) -> dict[str, Any]:
    tags = list(cell.get("metadata", {}).get("tags", ()))
    told = f"{index}\n{cell['cell_type']}\n{cell['source']}"
    kept: dict[str, Any] = {
        "cell_type": cell["cell_type"],
        "id": hashlib.sha1(told.encode(), usedforsecurity=False).hexdigest()[:12],
        "metadata": {"tags": tags} if tags else {},
        "source": _lines(cell["source"]),
    }
    if cell["cell_type"] == "code":
        number = next(counter)
        kept["execution_count"] = number
        kept["outputs"] = [_output(o, number) for o in joined(cell.get("outputs", []))]
    return kept


def joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outputs without stderr, neighbouring pieces of stdout joined."""
    kept: list[dict[str, Any]] = []
    for output in outputs:
        if output["output_type"] == "stream" and output["name"] == "stderr":
            continue
        if output["output_type"] == "stream" and kept and kept[-1]["output_type"] == "stream":
            kept[-1] = {**kept[-1], "text": kept[-1]["text"] + output["text"]}
        else:
            kept.append(dict(output))
    return kept


def _output(output: dict[str, Any], number: int) -> dict[str, Any]:
    if output["output_type"] == "stream":
        return {"output_type": "stream", "name": output["name"], "text": _lines(output["text"])}
    kept = {
        "output_type": output["output_type"],
        "data": {k: _value(k, v) for k, v in output.get("data", {}).items()},
        "metadata": output.get("metadata", {}),
    }
    return {**kept, "execution_count": number} if output["output_type"] == "execute_result" else kept


def _value(mime: str, value: Any) -> Any:
    """Texts as lists of lines; memory addresses, which differ in each process, are blanked."""
    if not isinstance(value, str) or mime.startswith("image/png"):
        return value
    return _lines(ADDRESS.sub("at 0x…", value))


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
