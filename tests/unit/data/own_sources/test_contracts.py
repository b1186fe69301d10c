"""Data contracts (ODCS v3): a declared source is one, one is a declared source, and nothing of either is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from candidate import ROOT
from own_world import CONSENT, PROFILES, RETAIL, Shop, but
from people_wrote import ACCOUNTS, COMMENTS, POSTS, SERVICE, comment, comments

from twinops.data.own_sources.odcs import API, as_contract, as_letters, declared, from_contract, from_letters
from twinops.errors import DataError
from twinops.workflows.places import Places
from twinops.workflows.sources.adopt import MAX_BYTES, adopt
from twinops.workflows.sources.contract import contract

SCHEMA = json.loads((Path(__file__).parent / "odcs" / "odcs-json-schema-v3.2.0.json").read_text(encoding="utf-8"))
"""The standard's own schema, which knows all versions from v2.2.0 on."""
ORDERS = {
    "kind": "transactions", "reads": "sql", "query": "SELECT 1", "url_from": "SHOP_URL", "columns": RETAIL["columns"],
    "time": {"format": "iso", "zone": "UTC"}, "money": {"currency": "GBP"}, "legal": RETAIL["legal"],
}  # fmt: skip
OURS = {
    "shop": RETAIL, "people": PROFILES, "consent": CONSENT, "comments": COMMENTS, "service": SERVICE, "posts": POSTS,
    "accounts": ACCOUNTS, "orders": ORDERS,
    "ruled": but(
        COMMENTS, rules={"text": {"max_length": 100, "among": ["a"]}, "likes": {"minimum": 0, "required": True}}
    ),
}  # fmt: skip
THEIRS = """
apiVersion: v3.1.0
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553a
version: 1.4.0
status: active
name: Shop Comments
domain: crm
description: {purpose: Comments under our posts., usage: Analytics, limitations: Not for ads}
servers:
  - {server: lake, type: s3, location: "s3://bucket/x"}
  - {server: production, environment: prod, type: local, path: files/comments.csv, format: csv}
schema:
  - name: comments
    physicalName: comments_v1
    quality: [{metric: rowCount, mustBeGreaterThan: 10}]
    properties:
      - {name: author, physicalName: who, logicalType: string, required: true, classification: confidential}
      - name: at
        logicalType: timestamp
        logicalTypeOptions: {format: "dd.MM.yyyy HH:mm", defaultTimezone: Europe/Berlin}
      - name: text
        physicalName: said
        logicalType: string
        required: true
        logicalTypeOptions: {maxLength: 200, pattern: "[^<>]*"}
        quality: [{type: text, description: In English.}]
      - {name: likes, logicalType: integer}
slaProperties:
  - {property: retention, value: 2, unit: y}
  - {property: latency, value: 4, unit: d}
team: {name: crm team}
tags: [x, y]
support: [{channel: "#help", url: "https://example.org"}]
"""


def theirs(**changed: Any) -> dict[str, Any]:
    return yaml.safe_load(THEIRS) | changed


def mistakes(told: dict[str, Any]) -> list[str]:
    return [e.message for e in jsonschema.Draft201909Validator(SCHEMA).iter_errors(told)]


def lost(one: Any, other: Any, at: str = "") -> list[str]:
    """Where something of one does not stand in the other; the order of lists does not count."""
    if isinstance(one, dict):
        there = other if isinstance(other, dict) else {}
        return [p for k, v in one.items() for p in lost(v, there.get(k), f"{at}.{k}")]
    if isinstance(one, list):
        there = other if isinstance(other, list) else []
        return [f"{at}[{n}]" for n, v in enumerate(one) if not any(not lost(v, o) for o in there)]
    return [] if one == other else [at]


@pytest.mark.parametrize("name", OURS)
def test_a_declared_source_keeps_to_the_standard_and_comes_back_as_it_was(name: str) -> None:
    said = declared(json.loads(json.dumps(OURS[name])))
    told = yaml.safe_load(yaml.safe_dump(as_contract(name, said)))
    assert mistakes(told) == []
    assert told["apiVersion"] == API
    back = from_contract(told)
    assert (back.name, declared(back.body), back.not_taken) == (name, said, ())


def test_no_address_and_no_password_stands_in_a_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_URL", "postgresql://anna:secret@db.example/shop")
    text = json.dumps(as_contract("orders", declared(json.loads(json.dumps(ORDERS)))))
    assert "secret" not in text
    assert "db.example" not in text


def test_somebody_s_contract_is_taken_as_far_as_it_goes_and_the_rest_is_told_and_kept() -> None:
    assert mistakes(theirs()) == []
    found = from_contract(theirs())
    said = declared(found.body)
    assert (said.kind, said.reads, said.path) == ("comments", "csv", "files/comments.csv")
    assert said.columns == {"account": "who", "time": "at", "text": "said"}
    assert (said.time.format, said.time.zone) == ("%d.%m.%Y %H:%M", "Europe/Berlin")
    assert said.legal.retention_days == 730
    assert said.legal.open == ("bases", "controller", "collected_from", "notice"), "the law is not guessed"
    assert (said.rules["text"].max_length, said.rules["text"].required) == (200, True)
    for path in (
        "schema[comments].quality[rowCount].mustBeGreaterThan", "slaProperties[latency].value", "team.name", "tags[0]",
        "servers[lake].location", "schema[comments].properties[likes].logicalType", "description.limitations",
        "schema[comments].properties[text].quality[0].description",
    ):  # fmt: skip
        assert path in found.not_taken
    again = as_contract(found.name, said)
    assert lost(theirs(), again) == []
    assert mistakes(again) == []


def test_a_contract_of_a_database_becomes_a_query_of_its_columns() -> None:
    table = {
        "name": "orders",
        "properties": [
            {"name": n, "logicalType": "string"} for n in ("customer_id", "order date", 'amount" FROM x; --', "amount")
        ],
    }
    server = {"server": "dwh", "type": "postgres", "host": "h", "port": 5432, "database": "d", "schema": "shop"}
    told = theirs(schema=[table], servers=[server], name="Orders")
    assert mistakes(told) == []
    body = from_contract(told).body
    assert body["kind"] == "transactions"
    assert body["query"].endswith('FROM "shop"."orders"')
    assert 'amount" FROM' not in body["query"].replace('""', "")
    assert body["url_from"] == "TWINOPS_ORDERS_URL"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([], "no data contract"),
        ({"kind": "DataContract", "apiVersion": "v9"}, "another version"),
        (theirs(schema=[]), "0 tables"),
        (theirs(schema=[{"name": "a"}, {"name": "b"}]), "2 tables"),
        (theirs(schema=[{"name": "a", "properties": [{"name": "colour"}]}]), "No kind of source"),
        (theirs(servers=[{"server": "k", "type": "kafka", "host": "h"}]), "no server"),
        (theirs(servers=[{"server": "k", "type": "local", "path": "../../etc/passwd", "format": "csv"}]), "climb"),
    ],
)
def test_what_makes_no_source_is_refused_in_a_sentence(told: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        from_contract(told)


@pytest.mark.parametrize(
    "letters", ["dd.MM.yyyy HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "MM/dd/yy", "dd MMM yyyy", "yyyyMMdd"]
)
def test_patterns_of_moments_go_both_ways(letters: str) -> None:
    assert as_letters(from_letters(letters) or "") == letters
    assert from_letters("QQQ yyyy") is None


def test_rules_of_a_contract_quarantine_what_breaks_them(tmp_path: Path) -> None:
    rules = {
        "text": {"required": True, "max_length": 60, "pattern": "[^<>]*"},
        "likes": {"minimum": 0, "maximum": 100},
        "account": {"among": ["anna_57", "bert"]},
    }
    shop = Shop(tmp_path, comments=but(COMMENTS, rules=rules))
    rows = [
        comment(), comment(who="bert", said=""), comment(at="06.03.2024 08:00", said="a" * 61), comment(likes="101"),
        comment(at="07.03.2024 08:00", said="a <b> c"), comment(who="carl"), comment(at="08.03.2024 08:00", likes=""),
    ]  # fmt: skip
    shop.file("comments.csv").write_text(comments(*rows), encoding="utf-8")
    found = shop.collect("social_comments", "all")
    assert found.taken == 2
    assert found.quarantined == {
        "account_against_rule": 1, "likes_against_rule": 1, "text_against_rule": 2, "text_required": 1,
    }  # fmt: skip


def test_a_pattern_that_backtracks_elsewhere_costs_nothing_here(tmp_path: Path) -> None:
    shop = Shop(tmp_path, comments=but(COMMENTS, rules={"text": {"pattern": "(a+)+$"}}))
    shop.file("comments.csv").write_text(comments(comment(), comment(said="a" * 4_000 + "!")), encoding="utf-8")
    with pytest.raises(DataError, match="nothing was taken"):
        shop.collect("social_comments", "all")


# In a project.


def project(root: Path, text: str = THEIRS) -> tuple[Places, Path]:
    (root / "compliance").mkdir(parents=True)
    (root / "files").mkdir()
    raw = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("  keys: demo", "  keys: store")
    (root / "params.yaml").write_text(raw, encoding="utf-8")
    use = (ROOT / "compliance/intended_use.yaml").read_text(encoding="utf-8")
    named = use.replace("  synthetic: true", "  synthetic: false")
    (root / "compliance/intended_use.yaml").write_text(named, encoding="utf-8")
    (root / "files/comments.csv").write_text(comments(comment(), comment(said="")), encoding="utf-8")
    (root / "contract.yaml").write_text(text, encoding="utf-8")
    return Places(root), root / "contract.yaml"


def test_a_contract_is_tried_before_it_is_written_and_written_it_is_a_source(tmp_path: Path) -> None:
    places, file = project(tmp_path)
    before = places.params.read_text(encoding="utf-8")
    tried = adopt(file, False, places=places)
    assert (tried.name, tried.kind, tried.written) == ("shop_comments", "comments", False)
    assert tried.checked.records == 2
    assert places.params.read_text(encoding="utf-8") == before
    assert adopt(file, True, places=places).written
    own = yaml.safe_load(places.params.read_text(encoding="utf-8"))["own"]["shop_comments"]
    said = declared(own)
    assert lost(theirs(), as_contract("shop_comments", said)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x [1]\nb: *x\n", "aliases"),
        ("{" * MAX_BYTES, "no YAML"),
        ("\x00", "no YAML"),
        ("a: !!python/object/apply:os.system [x]\n", "no YAML"),
        ("x" * 1_000_001, "bytes"),
        ("- 1\n", "no data contract"),
    ],
)
def test_a_hostile_file_is_no_contract(tmp_path: Path, text: str, said: str) -> None:
    places, file = project(tmp_path, text)
    with pytest.raises(DataError, match=said):
        adopt(file, True, places=places)


def test_the_contract_is_yaml_that_the_standard_takes(tmp_path: Path) -> None:
    shop = Shop(tmp_path, comments=COMMENTS)
    assert mistakes(yaml.safe_load(contract("comments", own=shop.params.own))) == []
