"""Evidence of a high-risk system, and the same with every text in it made hostile."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from governed import candidate, declared, fact

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Kind
from twinops.workflows.evidence import source_facts

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) ![i](http://evil.example/p.png) "
    '=cmd|\'/C calc\'!A0 "quoted", "," | # h `tick` \u202egnp.exe\u202c \u200b\x00\x07\r\n- list http://evil.example '
    "[ev-000000000000] </td></table> {{7*7}} {% raw %}"
)
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://evil.example")')
BLEND = {"path": "data/twin/blend.parquet", "sha256": "a" * 64, "bytes": 12, "columns": ["sid", "cutoff"]}
FAMILY = {"form": "twinops.twin/1", "foretells": ["activity", "spend"], "from": ["pace"], "horizon_days": 28}


@cache
def rich() -> Evidence:
    """What a run of the whole pipeline leaves, of a system that is high-risk."""
    sources = source_facts()
    more = (
        fact("model.family", FAMILY),
        fact("blend.file", BLEND),
        fact("libraries", {"duckdb": "2.0.0", "scikit-learn": "1.9.1"}),
        fact("ai_act_classification", {"class": "high_risk", "means": "duties", "rules": []}, Kind.DECLARED),
    )
    known = {f.name for f in more}
    return candidate(*(f for f in declared() if f.name not in known), *sources, *more)


@cache
def hostile() -> Evidence:
    """The same, every text in it made hostile, every name of a key as well where keys are free."""

    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spoil(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [spoil(item) for item in value]
        return f"{FORMULAS[len(value) % len(FORMULAS)]} {value} {HOSTILE}" if isinstance(value, str) else value

    kept = {"documents.present", "judged_on", "ai_act_classification"}
    facts = tuple(f if f.name in kept else replace(f, value=spoil(f.value), source=HOSTILE) for f in rich().facts)
    facts = tuple(replace(f, name=f"{f.name}") for f in facts)
    odd = fact(f"source.{HOSTILE}", {"controller": HOSTILE, "bases": {HOSTILE: HOSTILE}, "columns": [HOSTILE]})
    measures = tuple(replace(m, source=HOSTILE, method=HOSTILE, unit_of_n=HOSTILE) for m in rich().measures)
    return replace(rich(), facts=(*facts, odd), measures=measures)
