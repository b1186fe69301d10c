"""Synthetic identities for tests of the linkage, as the three sources would be opened."""

from __future__ import annotations

import pyarrow as pa

from twinops.data.linkage.intake import HOME
from twinops.demo import accounts, crm, registrations
from twinops.demo.identities import people_of

COLUMNS = {
    "crm": {
        "sid": "crm_id",
        "given": "first_name",
        "surname": "last_name",
        "born": "birth_date",
        "card": "loyalty_card",
    },
    HOME: {"sid": "card"},
    "social_accounts": {"sid": "account"},
}
"""Names of the sealed columns, where the files call them otherwise."""


def opened(households: int, seed: int) -> tuple[dict[str, pa.Table], dict[str, int]]:
    """The three sources as they would be opened, and the true person of every record."""
    people = people_of([str(i) for i in range(1, households + 1)], seed)
    made = {
        "crm": crm.profiles(people, seed),
        HOME: registrations.registrations(people, seed),
        "social_accounts": accounts.accounts(people, seed),
    }
    tables, person = {}, {}
    for source, records in made.items():
        named = {ours: records.columns[theirs] for ours, theirs in COLUMNS[source].items()}
        columns = {**records.columns, **named}
        tables[source] = pa.table({c: [v or None for v in column.tolist()] for c, column in columns.items()})
        person |= dict(zip(tables[source]["sid"].to_pylist(), records.person.tolist(), strict=True))
    return tables, person
