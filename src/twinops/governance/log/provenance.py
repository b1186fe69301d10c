"""State where the model comes from: an in-toto statement with SLSA provenance, read from what DVC recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD = "urn:twinops:dvc-stage/1"


@dataclass(frozen=True)
class Made:
    """What was made and from what: the model's digest, the lock file's stages, the key and the commit."""

    path: str
    sha256: str
    key: str
    revision: str | None
    stages: Mapping[str, Mapping[str, Any]]


def statement(made: Made) -> dict[str, Any]:
    """Subject: the model file. Its stage tells command, parameters and inputs; the stages before it are by-products."""
    name, stage = _maker(made)
    return {
        "_type": STATEMENT,
        "subject": [{"name": made.path, "digest": {"sha256": made.sha256}}],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD,
                "externalParameters": {"stage": name, "command": stage.get("cmd", "")},
                "internalParameters": {"params": dict(stage.get("params", {})), "candidate": made.key},
                "resolvedDependencies": [*_commit(made), *_files(stage.get("deps", ()))],
            },
            "runDetails": {
                "builder": {"id": "urn:twinops:dvc"},
                "metadata": {"invocationId": made.key},
                "byproducts": [
                    f for n, s in sorted(made.stages.items()) if n != name for f in _files(s.get("outs", ()))
                ],
            },
        },
    }


def _maker(made: Made) -> tuple[str, Mapping[str, Any]]:
    found = [(n, s) for n, s in sorted(made.stages.items()) if any(o["path"] == made.path for o in s.get("outs", ()))]
    return found[0] if found else ("none recorded", {})


def _commit(made: Made) -> list[dict[str, Any]]:
    return [{"uri": "git:HEAD", "digest": {"gitCommit": made.revision}}] if made.revision else []


def _files(entries: Any) -> list[dict[str, Any]]:
    """DVC knows files by MD5; a folder's is that of its listing."""
    return [{"uri": f"file:{e['path']}", "digest": {"md5": str(e["md5"]).removesuffix(".dir")}} for e in entries]
