"""What stands before every answer, in this order: purpose, consent and objection, age, special categories, influence,
Art. 22, rate. Who is asking was settled before the body was read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from twinops.data.consent import special_categories, special_words
from twinops.governance.law import intended_use
from twinops.service.clients import Client, Clients
from twinops.service.files import stamp_of
from twinops.service.issuers import Issuers
from twinops.service.refusals import BY_REASON, AskRefusedError, Refusal
from twinops.twin.answers.what_if import Action
from twinops.workflows.places import Places
from twinops.workflows.serving.live import READING, LiveTwins
from twinops.workflows.twin.open import SERVES, UNKNOWN, Against

ART_22 = "gdpr-22-1"
"""The rule of `law/consumer_rules.yaml`."""
UNCLEAR = "compliance/intended_use.yaml does not say whether the law bars the decision this would feed: {open}."
MISTAKEN = "compliance/intended_use.yaml cannot be read, so it does not say what answers would feed."
USE = "intended_use.yaml"
BARRED = "The declared decision is automated, has a legal or similarly significant effect, and no ground or safeguard."


@dataclass
class DeclaredUse:
    """What `intended_use.yaml` says of the decision that answers would feed; it is read again when it changed."""

    places: Places
    against: str = ""
    """Why no decision may be fed; nothing when it may."""
    stamp: tuple[int, int, int] | None = None

    def follow(self) -> None:
        """What people declare holds from the next look on.

        Raises:
            ParamsError: it holds mistakes; then no decision may be fed.
        """
        stamp = stamp_of(self.places.compliance / USE)
        if stamp == self.stamp:
            return
        self.stamp, self.against = stamp, MISTAKEN
        self.against = art_22_of(self.places)


@dataclass(frozen=True)
class Guards:
    """What every question is held against."""

    twins: LiveTwins
    clients: Clients
    issuers: Issuers
    declared: DeclaredUse
    """Whether a decision may be fed."""

    async def asking(self, header: str | None) -> Client:
        """Whose token it is: ours has one dot, an issuer's two.

        Raises:
            AskRefusedError: nobody's.
        """
        token = header[7:] if header is not None and header[:7].lower() == "bearer " else ""
        if token.count(".") != 2:
            known = self.clients.authenticated(header)
            if known is None:
                raise AskRefusedError(Refusal.UNAUTHENTICATED)
            return known
        client = await self.issuers.client(token)
        if client.name in self.clients.known:
            raise AskRefusedError(Refusal.NOT_YOURS, "Another client has the name of this one.")
        return client

    def purpose(self, client: Client, act: str, purpose: str) -> None:
        """Declared, and this client's."""
        if act not in client.acts:
            raise AskRefusedError(Refusal.NOT_YOURS, f"This client may not {act}.")
        if purpose not in {p.value for p in SERVES}:
            raise AskRefusedError(Refusal.PURPOSE_NOT_DECLARED)
        if purpose not in client.purposes:
            raise AskRefusedError(Refusal.PURPOSE_NOT_YOURS)

    def consumer(self, client: Client, who: str, *, refusing: bool = False) -> str:
        """Whom the id means. Ids that have to be looked up cost as a question does.

        Who is `refusing` is heard, whether a twin of theirs can be opened or not (GDPR arts. 7(3), 21).
        """
        if not who.isprintable():
            raise AskRefusedError(Refusal.UNKNOWN_CONSUMER, UNKNOWN)
        if who not in self.twins.names:
            self.rate(client, 1)
        sid = self.twins.known(who) if refusing else self.twins.sid(who)
        if sid is None:
            raise AskRefusedError(Refusal.UNKNOWN_CONSUMER, UNKNOWN)
        return sid

    def allowed(self, sid: str, purpose: str) -> None:
        """Consent, objection and age, as of now."""
        found = self.twins.against(sid, purpose)
        if found is not None:
            raise refused(found)

    def action(self, asked: Action) -> None:
        """A campaign that tells of a special category is not even imagined."""
        patterns = special_categories.of(self.twins.ground.opener.receipts.own).patterns.values()
        named = (f"%{p.strip('%')}%" for each in patterns for p in each)
        asked_of = asked.campaign or ""
        if special_words.told(asked_of) or any(special_categories.tells(p, asked_of) for p in named):
            # GDPR art. 9: neither health nor belief is what anybody is addressed by
            raise AskRefusedError(Refusal.SPECIAL_CATEGORY)

    def automated(self) -> None:
        """GDPR art. 22; C-634/21: a score that others draw strongly on is a decision."""
        if self.declared.against:
            raise AskRefusedError(Refusal.AUTOMATED_DECISION, self.declared.against)

    def rate(self, client: Client, cost: float) -> None:
        """So many consumers a second."""
        wait = self.clients.wait(client, cost)
        if wait:
            raise AskRefusedError(Refusal.RATE, retry_s=max(1, math.ceil(wait)))


def refused(found: Against) -> AskRefusedError:
    """The refusal that fits a reason of the ledger."""
    if found.reason == READING:
        return AskRefusedError(Refusal.BEING_READ, found.sentence, retry_s=1)
    if found.reason is None:
        return AskRefusedError(Refusal.PURPOSE_NOT_DECLARED, found.sentence)
    return AskRefusedError(BY_REASON.get(found.reason, Refusal.CONSENT), found.sentence)


def art_22_of(places: Places) -> str:
    """Why the declared use bars answers by GDPR art. 22, or leaves that open; nothing when it does neither."""
    use = intended_use.read((places.compliance / USE).read_text(encoding="utf-8"))
    duties = next(f.value for f in intended_use.facts(use) if f.name == "consumer_law_duties")
    for rule in duties if isinstance(duties, list) else ():
        if rule["rule"] == ART_22:
            return BARRED if rule["holds"] == "true" else UNCLEAR.format(open=", ".join(rule["to_answer"]))
    return ""
