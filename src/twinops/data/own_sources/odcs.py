"""Data contracts of the Open Data Contract Standard (ODCS v3, Bitol): a declared source as one, and one as a source.

What a contract says and a declaration has no place for is kept beside it (`contract`), and told. What a declaration
says and the standard has no field for stands in the contract's custom property `twinops`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from twinops.data.own_sources.cell_values import NO_CURRENCY
from twinops.data.own_sources.declared import shelf
from twinops.data.own_sources.proposing.drafting import TWIN
from twinops.data.own_sources.proposing.pricing import TO_TAKE_OFF
from twinops.data.own_sources.recognising import fit, words
from twinops.entities.consent import Purpose
from twinops.errors import DataError
from twinops.own_kinds import form
from twinops.own_params import OwnSource
from twinops.own_sections import OPEN, CellRules

API = "v3.1.0"
VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0")
OURS = "twinops"
"""The custom property that holds what the standard has no field for."""
IDENTIFIED = ("name", "property", "server", "metric")
"""Fields that tell the entries of a list apart."""
NOTHING: Mapping[str, Any] = {}
"""Nothing stands beyond."""
_FORMATS = {
    "csv": "csv",
    "txt": "csv",
    "tsv": "csv",
    "parquet": "parquet",
    "xlsx": "excel",
    "xls": "excel",
    "excel": "excel",
}
_DATABASES = (
    "postgres",
    "postgresql",
    "mysql",
    "sqlserver",
    "oracle",
    "redshift",
    "snowflake",
    "db2",
    "cloudsql",
)
_LETTERS = {
    "yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dd": "%d", "HH": "%H", "hh": "%I",
    "mm": "%M", "ss": "%S", "a": "%p", "XXX": "%z", "Z": "%z",
}  # fmt: skip
"""Letters of the JDK's DateTimeFormatter, and strptime's for the same."""
_TYPES = {
    **dict.fromkeys(("moment", "until"), "timestamp"),
    **dict.fromkeys(("quantity", "price", "amount", "discount", "figure", "scale"), "number"),
    **dict.fromkeys(("count", "year"), "integer"),
}
_NUMBERS = {"minimum": "minimum", "maximum": "maximum"}
_LENGTHS = {"minLength": "min_length", "maxLength": "max_length", "pattern": "pattern"}


@dataclass(frozen=True)
class FromContract:
    """A source's name and declaration as a contract says it, what of the contract has no place in it, and notes."""

    name: str
    body: dict[str, Any]
    not_taken: tuple[str, ...]
    notes: tuple[str, ...]


# A source as a contract.


def as_contract(name: str, said: OwnSource) -> dict[str, Any]:
    """The contract of a declared source; fields that were kept of another contract stand where they stood."""
    whole = said.model_dump(mode="json", exclude_unset=True, exclude={"contract"})
    server = next((s["server"] for s in _dicts(said.contract.get("servers")) if "server" in s), "source")
    table = next((s["name"] for s in _dicts(said.contract.get("schema")) if "name" in s), name)
    ours = {
        "apiVersion": API,
        "kind": "DataContract",
        "id": f"urn:twinops:own:{name}",
        "version": "1.0.0",
        "status": "draft" if said.open else "active",
        "name": name,
        "description": {"purpose": said.legal.provenance},
        "servers": [{"server": server, **_server(said)}],
        "schema": [{"name": table, "logicalType": "object", "properties": [*_properties(said)]}],
        "customProperties": [{"property": OURS, "value": whole}],
    }
    if said.legal.retention_days != OPEN:
        ours["slaProperties"] = [{"property": "retention", "value": said.legal.retention_days, "unit": "d"}]
    whole_contract: dict[str, Any] = merged(ours, said.contract)
    return whole_contract


def _server(said: OwnSource) -> dict[str, Any]:
    """Where it lies. A database's address comes from the environment and stands in no file."""
    if said.reads == "sql":
        return {"type": "custom", "description": "A database; its address is in the environment."}
    path = f"{said.path}/{said.files}" if said.files else said.path or ""
    monthly = "parquet" if (said.files or "").endswith(".parquet") else "csv"
    shape = {"folder": monthly, "archives": "zip"}.get(said.reads, said.reads)
    return {"type": "local", "path": path, "format": shape}


def _properties(said: OwnSource) -> Iterator[dict[str, Any]]:
    """A property for each of their columns that enters, in order."""
    theirs: dict[str, list[str]] = {}
    for ours, column in said.entering.items():
        theirs.setdefault(column, []).append(ours)
    for column in (*theirs, *(c for c in said.answers.values() if c not in theirs)):
        yield _property(column, theirs.get(column, []), said)


def _property(column: str, ours: Sequence[str], said: OwnSource) -> dict[str, Any]:
    """One column: its type, whether it must be there, and the rules that its cells keep to."""
    kinds = [said.form.columns.get(o, "answer") for o in ours]
    rules = next((said.rules[o] for o in ours if o in said.rules), CellRules())
    logical = next((_TYPES[k] for k in kinds if k in _TYPES), "string")
    found: dict[str, Any] = {"name": column, "logicalType": logical}
    if rules.required or set(ours) & set(said.form.needed):
        found["required"] = True
    schema = shelf(said).SCHEMA
    if not schema.repeats and schema.key in [(o,) for o in ours]:
        found |= {"unique": True, "primaryKey": True}
    options = {theirs: v for theirs, own in {**_NUMBERS, **_LENGTHS}.items() if (v := getattr(rules, own)) is not None}
    allowed = (*_NUMBERS,) if logical in ("number", "integer") else (*_LENGTHS,)
    options = {k: v for k, v in options.items() if k in allowed}
    if logical == "timestamp" and said.time is not None:
        letters = as_letters(said.time.format)
        options |= {"format": letters} if letters else {}
        options |= {"defaultTimezone": said.time.zone} if said.time.zone != "UTC" else {}
    if options:
        found["logicalTypeOptions"] = options
    if rules.among:
        found["quality"] = [
            {"metric": "invalidValues", "arguments": {"validValues": [*rules.among]}, "mustBe": 0, "unit": "rows"}
        ]
    if {"identity", "handle", "contact", "text"} & set(kinds):
        found["classification"] = "personal data"
    return found


def merged(ours: Any, kept: Any) -> Any:
    """Ours, with what is kept beside it: by name in lists of named things, else behind."""
    if isinstance(ours, dict) and isinstance(kept, dict):
        both = {k: merged(v, kept[k]) if k in kept else v for k, v in ours.items()}
        return both | {k: v for k, v in kept.items() if k not in ours}
    if isinstance(ours, list) and isinstance(kept, list):
        named = {_name_of(k): k for k in kept if _name_of(k)}
        first = [merged(o, named.get(_name_of(o), {})) for o in ours]
        rest = [k for k in kept if _name_of(k) is None or _name_of(k) not in {_name_of(o) for o in ours}]
        return first + rest
    return kept if kept not in (None, {}) else ours


def _name_of(entry: Any) -> str | None:
    return next((str(entry[k]) for k in IDENTIFIED if k in entry), None) if isinstance(entry, dict) else None


# A contract as a source.


def from_contract(contract: Any) -> FromContract:
    """The declaration that a contract is, as far as it goes; what only people know stays open.

    Raises:
        DataError: it is no such contract, holds several tables, or none of whose columns we know a use for.
    """
    if not isinstance(contract, dict) or contract.get("kind") != "DataContract":
        raise DataError(
            "This is no data contract of ODCS.", hint="It begins with kind: DataContract and an apiVersion."
        )
    if contract.get("apiVersion") not in VERSIONS:
        raise DataError("The contract is of another version of ODCS.", hint=f"These are read: {', '.join(VERSIONS)}.")
    table, notes = _table(contract), list[str]()
    name = _as_name(str(contract.get("name") or table.get("name") or "source"))
    server, place = _place(contract, table, told := _custom(contract), notes)
    body = _said(contract, table, told, notes)
    columns = body["columns"]
    if place.get("reads") == "sql" and "query" not in told:
        listed = ", ".join(map(_quoted, dict.fromkeys(columns.values())))
        place["query"] = " ".join(("SELECT", listed, "FROM", place["query"]))
    body |= place
    called = {"servers": [{"server": server}], "schema": [{"name": table.get("name", name)}]}
    left = beyond(contract, as_contract(name, declared(body | {"contract": called})))
    body |= {"contract": merged(called, left)} if left or _renames(called, name) else {}
    # another way to say the same period is taken, and stays as it is written
    period = "slaProperties[retention]" if body["legal"]["retention_days"] != OPEN else "name"
    told_aloud = tuple(p for p in _paths(left) if p not in ("apiVersion", "name") and not p.startswith(period))
    return FromContract(name, body, told_aloud, tuple(notes))


def declared(body: Mapping[str, Any]) -> OwnSource:
    """The declaration, checked.

    Raises:
        DataError: it cannot be acted on.
    """
    try:
        return OwnSource.model_validate_json(json.dumps(body))
    except ValidationError as problem:
        told = "; ".join(str(e["msg"]).removeprefix("Value error, ") for e in problem.errors())
        raise DataError(f"The contract makes no source that can be read: {told}.", hint="Mend the contract.") from None


def beyond(theirs: Any, ours: Any) -> Any:
    """What stands in one and not in the other; of named things in lists the name stays."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        found = {k: v if k not in ours else beyond(v, ours[k]) for k, v in theirs.items()}
        return {k: v for k, v in found.items() if k not in ours or v is not NOTHING} or NOTHING
    if isinstance(theirs, list) and isinstance(ours, list):
        named = {_name_of(o): o for o in ours if _name_of(o)}
        return [e for t in theirs if (e := _entry_beyond(t, named, ours)) is not NOTHING] or NOTHING
    return NOTHING if theirs == ours else theirs


def _entry_beyond(entry: Any, named: Mapping[str | None, Any], ours: list[Any]) -> Any:
    name = _name_of(entry)
    if name not in named:
        return NOTHING if entry in ours else entry
    left = beyond(entry, named[name])
    key = next(k for k in IDENTIFIED if k in entry)
    return left if left is NOTHING else {key: entry[key], **left}


def _renames(called: Mapping[str, Any], name: str) -> bool:
    return bool(called["servers"][0]["server"] != "source" or called["schema"][0]["name"] != name)


def _said(contract: Mapping[str, Any], table: dict[str, Any], told: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    properties = _dicts(table.get("properties"))
    columns = dict(told.get("columns") or _recognised(told, properties))
    kind = told.get("kind") or columns.pop("kind")
    known, rules, written = form(kind).columns, dict[str, Any](), dict[str, str]()
    for p in properties:
        mine = [ours for ours, theirs in columns.items() if theirs == _theirs(p)]
        found = _rules(p, needed=bool(set(mine) & set(form(kind).needed)))
        rules |= dict.fromkeys(mine, found) if found else {}
        if any(known.get(o) in ("moment", "until") for o in mine):
            written |= _moment(p, notes)
    body = {"kind": kind, **told, "columns": columns}
    body |= {"rules": rules} if rules else {}
    if form(kind).moments(columns):
        body["time"] = {"format": "iso", "zone": "UTC"} | written | dict(told.get("time") or {})
        if not told and "zone" not in written:
            notes.append("The time zone is taken to be UTC: say `time.zone` if it is not.")
    if "sales_value" in known and "money" not in told:
        body["money"] = {"currency": NO_CURRENCY}
        notes.append("No contract says the currency: say `money.currency`.")
    if {"unit_price", "retail_disc"} <= set(columns) and "discount" not in body["money"]:
        body["money"] = body["money"] | {"discount": TO_TAKE_OFF}
        notes.append("The unit price is taken to be before the discount: say `money.discount: taken_off` if it is not.")
    return body | {"legal": _legal(contract, kind, columns, told)}


def _table(contract: Mapping[str, Any]) -> dict[str, Any]:
    """The one table."""
    tables = _dicts(contract.get("schema"))
    if len(tables) != 1:
        raise DataError(
            f"The contract holds {len(tables)} tables; a source is one.", hint="Write a contract for each of them."
        )
    return tables[0]


def _custom(contract: Mapping[str, Any]) -> dict[str, Any]:
    """What a contract that we wrote says beyond the standard."""
    mine = next((p for p in _dicts(contract.get("customProperties")) if p.get("property") == OURS), {})
    value = mine.get("value")
    return {k: v for k, v in value.items() if k != "contract"} if isinstance(value, dict) else {}


def _theirs(p: Mapping[str, Any]) -> str:
    return str(p.get("physicalName") or p.get("name") or "")


def _recognised(told: Mapping[str, Any], properties: list[dict[str, Any]]) -> dict[str, str]:
    """The kind (under `kind`) and the columns, by their names: the kind whose needs are met and that knows the most."""
    names = {n: _called(p) for p in properties if (n := _theirs(p))}
    best: dict[str, str] = {}
    for kind, roles in {"transactions": words()["columns"], **words()["files"]}.items():
        if told.get("kind") in (None, kind) and len(found := _by_name(kind, roles, names)) > len(best):
            best = found | {"kind": kind}
    if not best:
        raise DataError(
            f"No kind of source is known that has these columns: {', '.join(list(names)[:40]) or 'none'}.",
            hint=f"Say it in the contract: customProperties, property {OURS}, value {{kind: ..., columns: {{...}}}}.",
        )
    return best


def _called(p: Mapping[str, Any]) -> tuple[str, ...]:
    """All names of a property."""
    return tuple(str(p[k]) for k in ("name", "physicalName", "businessName") if p.get(k))


def _by_name(kind: str, roles: Mapping[str, list[str]], names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    columns, kinds = form(kind).columns, form(kind)
    scored = [
        (-score, n, theirs, ours)
        for n, (ours, role) in enumerate(roles.items())
        for theirs, called in names.items()
        if (score := max(fit(n, role, an_id=columns.get(ours) in ("identity", "code", "link")) for n in called)) > 1
    ]
    found: dict[str, str] = {}
    for _, _, theirs, ours in sorted(scored):
        if ours not in found and theirs not in found.values():
            found[ours] = theirs
    if "unit_price" in found and "sales_value" in found:
        found.pop("unit_price")
    either = {"household_id", kinds.or_else} if kinds.or_else else set()
    amount = "sales_value" not in columns or bool({"sales_value", "unit_price"} & set(found))
    met = set(kinds.needed) <= set(found) and amount and (not either or bool(either & set(found)))
    return found if met else {}


def _rules(p: Mapping[str, Any], *, needed: bool) -> dict[str, Any]:
    """What the property says of its cells."""
    rules: dict[str, Any] = {"required": True} if p.get("required") is True and not needed else {}
    options = p.get("logicalTypeOptions")
    numeric = p.get("logicalType") in ("number", "integer")
    for theirs, ours in ({**_NUMBERS} if numeric else {**_LENGTHS}).items():
        value = options.get(theirs) if isinstance(options, dict) else None
        if isinstance(value, str if theirs == "pattern" else int | float) and not isinstance(value, bool):
            rules[ours] = value
    for check in _dicts(p.get("quality")):
        arguments = check.get("arguments")
        allowed = arguments.get("validValues") if isinstance(arguments, dict) else None
        if check.get("metric") == "invalidValues" and check.get("mustBe") == 0 and isinstance(allowed, list):
            rules["among"] = [str(v) for v in allowed]
    return rules


def _moment(p: Mapping[str, Any], notes: list[str]) -> dict[str, str]:
    """How the property writes moments."""
    options = p.get("logicalTypeOptions")
    if not isinstance(options, dict):
        return {}
    found = {}
    letters, zone = options.get("format"), options.get("defaultTimezone")
    if isinstance(letters, str) and (format_ := from_letters(letters)):
        found["format"] = format_
    elif letters:
        notes.append(f"How {_theirs(p)} writes moments is not understood ({letters!r}): say `time.format`.")
    return found | ({"zone": zone} if isinstance(zone, str) else {})


def from_letters(pattern: str) -> str | None:
    """A pattern of the JDK's DateTimeFormatter as strptime's; None: it has letters that are not known.

    >>> from_letters("dd.MM.yyyy HH:mm"), from_letters("yyyy-MM-dd'T'HH:mm:ss"), from_letters("QQQ")
    ('%d.%m.%Y %H:%M', '%Y-%m-%dT%H:%M:%S', None)
    """
    out = []
    for literal, letters, sign in _tokens(pattern):
        if letters and letters not in _LETTERS:
            return None
        out.append(_LETTERS[letters] if letters else (literal or sign).replace("%", "%%"))
    return "".join(out)


def _tokens(pattern: str) -> Iterator[tuple[str, str, str]]:
    for found in re.finditer(r"'([^']*)'|(([A-Za-z])\3*)|([^A-Za-z'])", pattern[:80]):
        yield found[1] or "", found[2] or "", found[4] or ""


def as_letters(format_: str) -> str | None:
    """The other way round; None for what is no pattern (`iso`, `epoch`)."""
    if "%" not in format_:
        return None
    back = {v: k for k, v in reversed(_LETTERS.items())}
    parts = re.findall(r"%.|[^%]", format_)
    if any(p.startswith("%") and p not in back for p in parts):
        return None
    return "".join(back.get(p, f"'{p}'" if p.isalpha() else p) for p in parts)


def _place(
    contract: Mapping[str, Any], table: Mapping[str, Any], told: Mapping[str, Any], notes: list[str]
) -> tuple[str, dict[str, Any]]:
    """The first server that we can read from, and where that is; of a database the table is told as the query."""
    servers = _dicts(contract.get("servers"))
    for server in servers:
        called, kind = str(server.get("server", "source")), server.get("type")
        if kind == "local" and server.get("path"):
            reads = told.get("reads") or _FORMATS.get(str(server.get("format", "")).casefold(), "csv")
            return called, {"reads": reads, "path": told["path"] if told.get("files") else str(server["path"])}
        if kind == "custom" and told.get("reads") == "sql":
            return called, {}
        if kind in _DATABASES:
            name = str(table.get("physicalName") or table.get("name"))
            prefix = f"{_quoted(str(server['schema']))}." if server.get("schema") else ""
            variable = re.sub(r"[^A-Z0-9]+", "_", f"TWINOPS_{name.upper()}_URL")[:64]
            notes.append(f"The database's address is read from the environment variable {variable}.")
            return called, {"reads": "sql", "query": f"{prefix}{_quoted(name)}", "url_from": variable}
    raise DataError(
        "The contract names no server that can be read from.",
        hint="A server of type local with a path, or a database.",
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _legal(
    contract: Mapping[str, Any], kind: str, columns: Mapping[str, str], told: Mapping[str, Any]
) -> dict[str, Any]:
    """Provenance and period as the contract says them; what people must say is open."""
    description = contract.get("description")
    provenance = description.get("purpose") if isinstance(description, dict) else None
    serves = form(kind).serves
    purposes = [p for p in TWIN if Purpose(p) in serves] or sorted(str(p) for p in serves)
    legal = {
        "controller": OPEN, "collected_from": OPEN, "bases": OPEN, "notice": OPEN, "retention_days": OPEN,
        "synthetic": False, "purposes": dict.fromkeys(columns, purposes),
    } | dict(told.get("legal") or {})  # fmt: skip
    legal["provenance"] = str(provenance or legal.get("provenance") or "As a data contract says it.")[:2_000]
    for term in _dicts(contract.get("slaProperties")):
        days = _days(term.get("value"), term.get("unit"))
        if term.get("property") == "retention" and days:
            legal["retention_days"] = days
    return legal


def _days(value: Any, unit: Any) -> int | None:
    """A period in whole days."""
    per = {"d": 1, "day": 1, "days": 1, "y": 365, "yr": 365, "year": 365, "years": 365, "w": 7, "m": 30, "months": 30}
    if isinstance(value, bool) or not isinstance(value, int) or str(unit) not in per:
        return None
    days = value * per[str(unit)]
    return days if 1 <= days <= 3_650 else None


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _paths(value: Any, at: str = "") -> Iterator[str]:
    """Where something stands that was not taken."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in IDENTIFIED or len(value) == 1 or not at:
                yield from _paths(inner, f"{at}.{key}" if at else str(key))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _paths(inner, f"{at}[{_name_of(inner) or n}]")
    elif value is not NOTHING:
        yield at


def _as_name(text: str) -> str:
    found = re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")[:31]
    return found if re.fullmatch(r"[a-z][a-z0-9_]{0,30}", found) else f"s_{found}"[:31].rstrip("_")
