"""Synthetic people are reproducible, dirty and declared; their three files enter through the real readers."""

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from supplying import DAYS

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.data.quality import part
from twinops.data.sources import crm, registrations, social_accounts
from twinops.demo import accounts, dirt, names, writing
from twinops.demo import crm as made_crm
from twinops.demo import registrations as made_registrations
from twinops.demo.identities import RELATIVES, people_of, truth
from twinops.entities.day_count import DayCount
from twinops.errors import DataError
from twinops.workflows.intake import pointing
from twinops.workflows.pipeline.collect_identities import write_made_up

SEED = 7
HOUSEHOLDS = [str(i) for i in range(1, 901)]


@dataclass(frozen=True)
class Asked:
    folder: Path | None
    batch: str = "all"
    max_rows: int = 5_000_000
    as_of: date = date(2018, 1, 1)
    days: DayCount = DAYS


@pytest.fixture(scope="module")
def people():
    return people_of(HOUSEHOLDS, SEED)


@pytest.fixture(scope="module")
def folder(people, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made up")
    (folder / crm.FILE).write_bytes(made_crm.to_csv(made_crm.profiles(people, SEED), SEED))
    (folder / registrations.FILE).write_bytes(made_registrations.to_csv(made_registrations.registrations(people, SEED)))
    (folder / social_accounts.FILE).write_bytes(accounts.to_jsonl(accounts.accounts(people, SEED)))
    return folder


# Who they are.


def test_the_same_seed_makes_the_same_people_and_another_seed_others(people):
    again, others = people_of(HOUSEHOLDS, SEED), people_of(HOUSEHOLDS, SEED + 1)
    assert again.email.tolist() == people.email.tolist()
    assert others.email.tolist() != people.email.tolist()


FROZEN = {
    "crm.csv": "50c4c91180e0",
    "registrations.csv": "8345f0f37888",
    "social_accounts.jsonl": "886204344ab8",
}
"""The identities every published linkage figure was measured on. Whoever changes the generator measures again."""


def test_the_generator_is_frozen(tmp_path):
    write_made_up(tmp_path, [str(i) for i in range(1, 2_470)], seed=SEED)
    assert {p.name: hashlib.sha256(p.read_bytes()).hexdigest()[:12] for p in tmp_path.iterdir()} == FROZEN


def test_every_household_has_one_holder_and_some_a_relative_at_the_same_door(people):
    holders = people.household[people.holder]
    assert holders.tolist() == HOUSEHOLDS
    relatives = np.flatnonzero(~people.holder)
    assert len(relatives) == round(len(HOUSEHOLDS) * RELATIVES)
    homes = {h: i for i, h in enumerate(holders.tolist())}
    assert all((people.place[:, 0, r] == people.place[:, 0, homes[people.household[r]]]).all() for r in relatives)


def test_no_mail_and_no_call_can_reach_anybody(people):
    assert {e.rpartition("@")[2] for e in people.email.tolist()} <= set(names.DOMAINS)
    assert all(d == "example.org" or d.endswith(".example") for d in names.DOMAINS)
    phones = writing.phones(people, dirt.Dirt(np.random.default_rng(1)), missing=0, old=0)
    assert sum("+999" in p or p.startswith("00999") for p in phones.tolist()) > 0.8 * len(phones)


def test_an_address_belongs_to_one_holder_only(people):
    own = people.email[people.holder].tolist()
    assert len(set(own)) == len(own)


def test_the_truth_has_a_row_for_every_record(people):
    records = made_crm.profiles(people, SEED)
    known = truth("crm", records, key="crm_id")
    assert known.num_rows == len(records) == len(set(known["record"].to_pylist()))
    assert len(records) > 1.03 * len(people)
    assert set(known["person"].to_pylist()) == set(range(len(people)))


# How dirty their records are.


def test_so_much_is_missing_as_was_agreed():
    many = people_of([f"H{i:07d}" for i in range(round(5_000 / (1 + RELATIVES)))], SEED)
    profiles, forms = made_crm.profiles(many, SEED).columns, made_registrations.registrations(many, SEED).columns
    emails = np.concatenate([profiles["email"], forms["email"], accounts.accounts(many, SEED).columns["email"]])
    assert (emails == "").mean() >= 0.28
    assert (np.concatenate([profiles["phone"], forms["phone"]]) == "").mean() >= 0.46
    assert (profiles["birth_date"] == "").mean() >= 0.27
    assert 0.25 < (profiles["loyalty_card"] != "").mean() < 0.45


def test_the_records_are_dirty_in_every_way_that_was_asked_for(folder):
    text = b"".join(p.read_bytes() for p in folder.iterdir()).decode("utf-8", "replace")
    assert any(0x370 <= ord(c) <= 0x3FF for c in text)
    assert any(0x400 <= ord(c) <= 0x4FF for c in text)
    assert any(e in text for e in names.EMOJI)
    assert "<script>" in text
    assert "=HYPERLINK" in text
    assert "Ã" in text
    assert "\ufffd" in text  # lines in another encoding


def test_every_file_says_that_it_is_synthetic_in_every_record(folder):
    for name in (crm.FILE, registrations.FILE):
        lines = (folder / name).read_bytes().split(b"\r\n")[1:-1]
        said = [b"synthetic" in line or b"Synthetic" in line for line in lines]
        assert sum(said) > 0.97 * len(lines)  # a hostile note may stand in its place
    assert all(b'"synthetic": true' in line for line in (folder / social_accounts.FILE).read_bytes().splitlines())
    assert all(s.LEGAL.synthetic and "Synthetic" in s.LEGAL.provenance for s in (crm, registrations, social_accounts))


def test_slips_change_a_little_and_never_empty_a_value():
    for dice in range(200):
        assert abs(len(dirt.slip("kowalska", dice)) - 8) <= 1
        assert len(dirt.digit_slip("1984-05-17", dice)) == 10
    assert dirt.twice_decoded("Jörg") == "JÃ¶rg"
    assert dirt.in_latin("Щербак", "a") == "Shcherbak"
    assert dirt.in_latin("Γιώργος", "b") == "Giorgos"


# How they enter.


@pytest.mark.parametrize("source", [crm, registrations, social_accounts], ids=lambda s: s.__name__)
def test_good_rows_arrive_and_all_others_are_in_quarantine_with_a_reason(source, folder):
    reading = source.read(None, Asked(folder))
    assert reading.in_file == reading.rows.num_rows + reading.refused.num_rows
    assert reading.rows.num_rows > 0.97 * reading.in_file
    assert part(reading.rows, source.SCHEMA).reasons == {}
    assert source.sealed(reading.rows).column_names[0] == source.SUBJECT
    assert set(source.LEGAL.columns) == set(source.SCHEMA.names)


def test_no_column_without_a_purpose_enters(folder):
    assert crm.read(None, Asked(folder)).dropped == ("internal_note",)
    assert registrations.read(None, Asked(folder)).dropped == ("clerk_remark",)
    assert "summary" in social_accounts.read(None, Asked(folder)).dropped


def test_lines_that_stand_for_nobody_do_not_enter(folder):
    reading = crm.read(None, Asked(folder))
    assert not any(i.startswith("C9") for i in reading.rows["crm_id"].to_pylist())
    assert {"nul_byte", "torn_record", "wrong_field_count", "not_utf8", "in_the_future", "missing_value"} <= set(
        reading.quarantined
    )


def test_no_natural_id_is_sealed_beside_a_name_and_cards_still_meet(folder):
    keys = MemoryKeys()
    forms = registrations.sealed(registrations.read(None, Asked(folder)).rows)
    assert set(forms.column_names) == set(registrations.SCHEMA.names)  # the number is its subject, kept nowhere else
    numbers = forms["household_id"].to_pylist()
    sids = set(keys.subject_ids(numbers))
    profiles = pointing(crm.sealed(crm.read(None, Asked(folder)).rows), crm.HOUSEHOLDS, keys)
    cards = {c for c in profiles["card"].to_pylist() if c is not None}
    assert not cards & set(numbers)
    assert len(cards & sids) > 0.9 * len(cards) > 10  # some are mistyped
    assert profiles["card"].null_count > 0


HEADER = ",".join(crm.COLUMNS).encode()


def profile(number: int, **changes: str) -> bytes:
    cells = {"crm_id": f"C{number:08d}", "first_name": "Ida", "last_name": "Berg", "updated": "2017-05-01"} | changes
    return ",".join(cells.get(c, "") for c in crm.COLUMNS).encode()


def read_crm(tmp_path: Path, *lines: bytes):
    (tmp_path / crm.FILE).write_bytes(b"\r\n".join([HEADER, *lines]))
    return crm.read(None, Asked(tmp_path))


def test_a_cell_that_would_run_is_made_harmless_and_kept(tmp_path):
    reading = read_crm(tmp_path, profile(1, first_name="=Ida", last_name="@SUM(1)", phone="+999 123456789"))
    row = reading.rows.to_pylist()[0]
    assert (row["given"], row["surname"], row["phone"]) == ("'=Ida", "'@SUM(1)", "+999 123456789")


def test_lines_in_two_encodings_are_both_read(tmp_path):
    lines = [profile(1, first_name="Jörg"), profile(2, first_name="Jorg").replace(b"Jorg", "Jörg".encode("cp1252"))]
    assert read_crm(tmp_path, *lines).rows["given"].to_pylist() == ["Jörg", "Jörg"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (profile(2, first_name="A\0B"), "nul_byte"),
        (profile(2, first_name="x" * 10_000_000), "oversized"),
        (profile(2, first_name="x" * 500), "oversized"),
        (profile(2, birth_date="1985-02-30"), "bad_time"),
        (profile(2, birth_date="1085-02-03"), "out_of_range"),
        (profile(2, birth_date="2018-06-01"), "in_the_future"),
        (profile(2, updated=""), "bad_time"),
        (profile(2, crm_id="../../etc/passwd"), "bad_id"),
        (profile(2, first_name="", last_name=" "), "missing_value"),
        (profile(1), "duplicate_id"),
        (b"C00000002,three,cells", "wrong_field_count"),
        (b'C00000002,"open,,,,,,,,,2017-01-01', "torn_record"),
        (profile(2).replace(b"Ida", b"\x81\xff"), "not_utf8"),
    ],
)
def test_a_broken_profile_takes_no_neighbour_with_it(tmp_path, line, reason):
    reading = read_crm(tmp_path, profile(1), line, profile(3))
    assert reading.rows["crm_id"].to_pylist() == ["C00000001", "C00000003"]
    assert reading.quarantined == {reason: 1}


def test_ten_thousand_broken_rows_stay_outside_and_the_good_ones_beside_them_arrive(tmp_path):
    broken = [line % (90_000_000 + i) for i in range(1_250) for line in made_crm.BROKEN]
    lines = [
        line for i, b in enumerate(broken) for line in (b.rstrip(b"\r\n"), *([profile(i)] if i % 500 == 0 else []))
    ]
    reading = read_crm(tmp_path, *lines)
    assert reading.rows.num_rows == 20
    assert reading.refused.num_rows == 10_000
    assert all(reading.refused["reason"].to_pylist())


def test_ten_thousand_broken_actors_stay_outside(tmp_path):
    good = accounts.to_jsonl(accounts.accounts(people_of(HOUSEHOLDS[:40], SEED), SEED)).splitlines()
    spoil = [
        lambda a: a[: len(a) // 2],
        lambda a: a.replace(b'"Person"', b'"Service"'),
        lambda a: a.replace(b"https://", b"javascript://"),
        lambda a: a.replace(b"T00:00:00Z", b" soon"),
        lambda a: b"[" * 50 + a,
        lambda a: a.replace(b'"attachment": [', b'"attachment": ["x", '),
        lambda a: a.replace(b'"name": "', b'"name": "' + b"y" * 3000, 1),
        lambda a: b"\0" + a,
    ]
    broken = [spoil[i % len(spoil)](good[i % len(good)]) for i in range(10_000)]
    (tmp_path / social_accounts.FILE).write_bytes(b"\n".join([*broken[:5_000], *good, *broken[5_000:]]))
    reading = social_accounts.read(None, Asked(tmp_path))
    assert reading.rows.num_rows == len(good)
    assert reading.refused.num_rows == 10_000


def test_a_display_name_comes_without_its_attack(tmp_path):
    good = accounts.to_jsonl(accounts.accounts(people_of(HOUSEHOLDS[:9], SEED), SEED)).splitlines()[0]
    attack = good.replace(b'"name": "', b'"name": "<script>alert(1)</script>Ida <b>', 1)
    (tmp_path / social_accounts.FILE).write_bytes(attack)
    name = social_accounts.read(None, Asked(tmp_path)).rows["display_name"].to_pylist()[0]
    assert "alert" not in name
    assert "<" not in name


def test_a_file_in_utf_16_is_refused_as_a_whole(tmp_path):
    (tmp_path / crm.FILE).write_bytes(HEADER.decode().encode("utf-16"))
    with pytest.raises(DataError, match="UTF-16"):
        crm.read(None, Asked(tmp_path))


def test_a_missing_column_a_missing_file_and_a_missing_folder_are_said(tmp_path):
    (tmp_path / crm.FILE).write_bytes(b"crm_id,first_name")
    with pytest.raises(DataError, match="last_name"):
        crm.read(None, Asked(tmp_path))
    with pytest.raises(DataError, match=r"registrations\.csv"):
        registrations.read(None, Asked(tmp_path))
    with pytest.raises(DataError, match="no such source"):
        social_accounts.read(None, Asked(None))


def test_more_rows_than_allowed_are_not_read(tmp_path):
    (tmp_path / crm.FILE).write_bytes(b"\r\n".join([HEADER, profile(1), profile(2), profile(3)]))
    with pytest.raises(DataError, match="More than 2"):
        crm.read(None, Asked(tmp_path, max_rows=2))
