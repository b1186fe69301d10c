"""No yes and no no is lost by the way in which a shop writes it down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from twinops.data.own_sources.consents import channels
from twinops.data.own_sources.declared import DeclaredSource, declared
from twinops.data.own_sources.proposing import yes_proof
from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import Proposal, ShopFiles, look
from twinops.data.own_sources.reading import read
from twinops.errors import ParamsError
from twinops.own_params import OwnParams


def sales(folder: Path) -> Path:
    rows = [f"2025-{m:02}-{d:02},R{m}{d}{k},C{k:03},11,1,{k}.50"
            for m in range(1, 7) for d in (3, 17) for k in range(1, 41)]  # fmt: skip
    file = folder / "sales.csv"
    file.write_text("\n".join(["date,receipt,customer,article,pieces,amount", *rows, ""]))
    return file


def source(found: Proposal, name: str, root: Path) -> DeclaredSource:
    parsed = OwnParams.model_validate_json(json.dumps({name: found.own[name]}, default=str))
    return declared(parsed, name, root=root, max_rows=1_000_000)


def answered(folder: Path, rows: list[str], **said: Any) -> tuple[Proposal, list[dict[str, Any]]]:
    (folder / "answers.csv").write_text("\n".join([*rows, ""]), encoding="utf-8")
    found = look(ShopFiles(sales(folder), opt_ins=folder / "answers.csv"), Said(synthetic=True, **said))
    return found, read(source(found, "optins", folder), "all").rows.to_pylist()


def test_days_in_two_ways_are_read_in_each_and_the_newest_form_counts(tmp_path: Path) -> None:
    rows = ["client;offers by e-mail;signed"]
    rows += [f"C{k:03};{'tak' if k % 2 else 'nie'};2024-03-{1 + k % 28:02}" for k in range(1, 31)]
    rows += [f"C{k:03};tak;{1 + k % 28:02}.04.2024" for k in range(31, 41)]
    rows += ["C002;tak;17.05.2024"]
    found, got = answered(tmp_path, rows)
    assert found.own["optins"]["time"] == {"format": "iso", "also": ["%d.%m.%Y"], "zone": "UTC"}
    assert not [n for n in found.notes if "have no day" in n]
    assert len(got) == 41
    newest = max((r for r in got if r["household_id"] == "C002"), key=lambda r: r["time"])
    assert (newest["event"], newest["time"].date().isoformat()) == ("granted", "2024-05-17")


def test_a_day_that_two_ways_read_as_two_days_is_not_read(tmp_path: Path) -> None:
    rows = ["client;offers by e-mail;signed", "C001;yes;2024-03-25", "C002;yes;25/03/2024", "C003;yes;03/25/2024",
            "C004;yes;03/04/2024"]  # fmt: skip
    (tmp_path / "answers.csv").write_text("\n".join([*rows, ""]))
    found, _ = answered(tmp_path, ["client;offers by e-mail;signed", *(f"C{k:03};yes;2024-03-25" for k in range(1, 9))])
    (tmp_path / "answers.csv").write_text("\n".join([*rows, ""]))
    found.own["optins"]["time"] = {"format": "iso", "also": ["%d/%m/%Y", "%m/%d/%Y"], "zone": "UTC"}
    got = read(source(found, "optins", tmp_path), "all")
    assert got.rows["household_id"].to_pylist() == ["C001", "C002", "C003"]
    assert got.refused["reason"].to_pylist() == ["time_unreadable"]


HISTORY = [
    "client;purpose;channel;answer;day",
    *(f"C{k:03};offers;e-mail;yes;2024-01-01" for k in range(1, 31)),
    "C001;offers;SMS;yes;2024-02-01", "C001;offers;letter;yes;2024-02-01",
    "C002;offers;letter;no;2024-02-02",
    "C003;offers;E-Mail;withdrawn;2024-02-03", "C003;offers;SMS;yes;2024-02-04",
    "C031;offers;SMS;yes;2024-02-05",
    "C004;offers;;no;2024-02-06",
]  # fmt: skip


def open_to(rows: list[dict[str, Any]]) -> set[str]:
    last: dict[str, str] = {}
    for row in sorted(rows, key=lambda r: (r["time"], r["seq"])):
        last[row["household_id"]] = row["event"]
    return {who for who, event in last.items() if event == "granted"}


def test_a_yes_to_one_channel_opens_no_other_and_a_no_to_another_closes_none(tmp_path: Path) -> None:
    found, got = answered(tmp_path, HISTORY, codes={"optins.channel:e-mail": "yes"})
    assert found.own["optins"]["offers_by"] == ["e-mail"]
    assert open_to(got) == {f"C{k:03}" for k in range(1, 31)} - {"C003", "C004"}
    assert not {"C031"} & {r["household_id"] for r in got}


def test_while_nobody_said_by_what_offers_are_sent_they_need_a_yes_to_each_channel(tmp_path: Path) -> None:
    found, got = answered(tmp_path, HISTORY)
    assert open_to(got) == {"C001"}
    assert found.own["optins"]["columns"]["channel"] == "channel"
    (told,) = [n for n in found.notes if "by which channel" in n]
    assert "--code optins.channel:e-mail=yes" in told


def test_a_channel_that_no_answer_names_is_told_and_not_taken(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="does not hold fax"):
        answered(tmp_path, HISTORY, codes={"optins.channel:fax": "yes"})


def test_rows_that_come_out_of_quarantine_alone_open_no_channel(tmp_path: Path) -> None:
    table = pa.table({"purpose": ["offers", "offers", "twin_scoring"], "event": ["granted", "refused", "granted"],
                      "channel": ["e-mail", "e-mail", "e-mail"]})  # fmt: skip
    assert channels.refusals(table)["event"].to_pylist() == ["refused", "granted"]
    assert channels.refusals(table.drop_columns(["channel"])).num_rows == 3


SIGNED_UP = [
    "client;purpose;answer;given;confirmed on;source",
    *(f"C{k:03};offers;yes;2024-01-01;2024-01-02;website" for k in range(1, 25)),
    *(f"C{k:03};offers;yes;2024-01-01;;website" for k in range(25, 29)),
    *(f"C{k:03};offers;yes;2018-05-24;2018-05-24;import old till" for k in range(29, 33)),
    "C033;offers;no;2024-01-01;;import old till", "C001;offers;no;2024-03-01;;import old till",
    "C034;offers;yes;2024-01-01;0000-00-00;website",
]  # fmt: skip
IN_DOUBT = {f"C{k:03}" for k in (25, 26, 27, 28, 34)}
IMPORTED = {f"C{k:03}" for k in range(29, 33)}
BOTH_SAID = {"optins.yes_only:source": "website, till"}


def test_a_yes_that_nobody_confirmed_is_pending_and_no_answer_and_a_no_needs_no_confirmation(tmp_path: Path) -> None:
    found, got = answered(tmp_path, SIGNED_UP)
    assert found.own["optins"]["confirmed"] == "confirmed on"
    assert found.own["optins"]["columns"]["time"] == "given"
    assert {r["household_id"] for r in got} == {f"C{k:03}" for k in range(1, 34)} - IN_DOUBT
    assert {r["household_id"] for r in got if r["event"] == "refused"} == {"C001", "C033"}
    assert read(source(found, "optins", tmp_path), "all").left_out == {"yes_not_confirmed": 5}
    (told,) = [c for c in found.choices if c.what == "confirmed"]
    assert "5 of 33 yeses lack it" in told.why


def test_where_every_yes_is_confirmed_nothing_is_proposed(tmp_path: Path) -> None:
    found, _ = answered(tmp_path, [row for row in SIGNED_UP if not row.startswith(tuple(IN_DOUBT))])
    assert "confirmed" not in found.own["optins"]


def test_where_a_yes_comes_from_is_asked_with_the_words_and_nothing_is_done_unasked(tmp_path: Path) -> None:
    found, got = answered(tmp_path, SIGNED_UP)
    (told,) = [n for n in found.notes if "comes from" in n]
    assert "import old till" in told
    assert "--code 'optins.yes_only:source=website,import old till'" in told
    assert open_to(got) >= IMPORTED


def test_a_yes_of_an_origin_that_proves_nothing_does_not_count_and_a_no_of_it_does(tmp_path: Path) -> None:
    found, got = answered(tmp_path, SIGNED_UP, codes={"optins.yes_only:source": "website"})
    assert found.own["optins"]["yes_only"] == {"source": ["website"]}
    assert open_to(got) == {f"C{k:03}" for k in range(2, 25)}
    assert {r["household_id"] for r in got if r["event"] == "refused"} == {"C001", "C033"}
    left = read(source(found, "optins", tmp_path), "all").left_out
    assert left == {"yes not counted by source": 4, "yes_not_confirmed": 5}


def test_an_origin_that_no_answer_has_is_told_and_not_taken(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="does not hold till"):
        answered(tmp_path, SIGNED_UP, codes=BOTH_SAID)


def test_of_a_table_with_a_column_a_purpose_each_yes_needs_its_proof(tmp_path: Path) -> None:
    rows = ["klant;Aanbiedingen per e-mail;Profilering;Datum;Bevestigd op;Bron"]
    rows += [f"C{k:03};ja;{'ja' if k % 2 else 'nee'};2024-01-01;2024-01-02;kassa" for k in range(1, 31)]
    rows += ["C031;ja;nee;2024-01-01;;kassa", "C032;nee;nee;2024-01-01;;kassa", "C033;ja;ja;2024-01-01;2024-01-02;oud"]
    columns = {"optins.offers": "Aanbiedingen per e-mail", "optins.twin_training": "Profilering"}
    found, got = answered(tmp_path, rows, columns=columns, codes={"optins.yes_only:Bron": "kassa"})
    assert found.own["optins"]["confirmed"] == "Bevestigd op"
    assert found.own["optins"]["columns"]["time"] == "Datum"
    said = {(r["household_id"], r["purpose"], r["event"]) for r in got if r["household_id"] > "C030"}
    said = {one for one in said if one[1] != "twin_scoring"}  # profiling speaks of that, too
    assert said == {("C031", "twin_training", "refused"), ("C032", "offers", "refused"),
                    ("C032", "twin_training", "refused")}  # fmt: skip
    left = read(source(found, "optins", tmp_path), "all").left_out
    assert (left["yes_not_confirmed"], left["yes not counted by Bron"]) == (1, 3)


def test_a_yes_on_paper_needs_no_second_yes_where_only_those_of_the_website_are_ever_confirmed(tmp_path: Path) -> None:
    rows = [*SIGNED_UP, *(f"C{k:03};offers;yes;2024-01-01;;form" for k in range(35, 40))]
    found, got = answered(tmp_path, rows)
    assert found.own["optins"]["confirmed_of"] == {"source": ["import old till", "website"]}
    assert open_to(got) >= {f"C{k:03}" for k in range(35, 40)}
    assert not IN_DOUBT & open_to(got)
    assert read(source(found, "optins", tmp_path), "all").left_out == {"yes_not_confirmed": 5}


@pytest.mark.parametrize("name", ["Bevestigd op", "Bestätigt am", "Megerősítve", "Potvrzeno dne", "Confirmed at"])
def test_that_something_was_confirmed_is_known_in_many_languages(name: str) -> None:
    assert yes_proof.speaks(name)
    assert not yes_proof.speaks("Datum")
