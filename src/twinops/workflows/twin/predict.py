"""Predict one consumer's next weeks, for a declared purpose that the consumer allows."""

from dataclasses import dataclass

from twinops.entities.wording import MONEY, NEUTRAL, Wording, amount
from twinops.twin.answers.forecast import Forecast, forecast
from twinops.twin.answers.portrait_text import BASIS, carried
from twinops.workflows.twin.open import Opener


@dataclass(frozen=True)
class Predicted:
    """What is expected, or why it is refused."""

    expected: Forecast | None
    refused: str | None
    as_of: str
    wording: Wording = NEUTRAL

    def text(self) -> str:
        """In words."""
        if self.expected is None:
            return self.refused or ""
        e = self.expected
        chance = "" if e.active_probability is None else f"Shops at all: {e.active_probability:.1%}. "
        half = f"half spend less than {amount(e.spend_median)}" if e.spend_median else "half or more spend nothing"
        return self.wording.told(
            f"As of {self.as_of}, the next {e.horizon_days} days, {BASIS[e.basis]}. {chance}Baskets: {e.baskets:.2f} "
            f"[{e.baskets_range[0]:.0f}, {e.baskets_range[1]:.0f}]. Spend: {amount(e.spend)} {MONEY} on average "
            f"[{amount(e.spend_range[0])}, {amount(e.spend_range[1])}], {half}. Ranges hold 80 of 100 like cases."
            f"{carried(e)}"
        )


def predict(who: str, purpose: str, *, opener: Opener) -> Predicted:
    """Open one twin and predict the horizon from the as-of day on.

    Raises:
        DataError: nobody is known by this id, or there is no model yet.
    """
    opened = opener.open(who)
    refused = opened.consumer.refusal(purpose)
    expected = None if refused else forecast(opened.twin)
    return Predicted(expected, refused, opener.receipts.as_of.isoformat(), opener.words.wording)
