"""One way to compare e-mail addresses: how a person types theirs is never a way to be somebody else."""

from __future__ import annotations

import unicodedata

from twinops.governance.people.lookalikes import skeleton


def compared(email: str) -> str:
    """The address without case and extra space, in Unicode's one form, its domain as the DNS spells it (IDNA).

    >>> compared(" Rita@BÜCHER.example. ") == compared("rita@xn--bcher-kva.example")
    True
    """
    local, at, domain = unicodedata.normalize("NFKC", email).strip().casefold().rpartition("@")
    try:
        spelled = domain.rstrip(".").encode("idna").decode()
    except UnicodeError:
        spelled = domain  # no domain at all: compared as it stands
    return f"{local}{at}{spelled}"


def mailbox(email: str) -> str:
    """As it is taken for: without what stands behind a plus sign, letters of other scripts as those they look like.

    >>> mailbox("rita+dpo@shop.example") == mailbox("Rita@shop.example")
    True
    """
    local, at, domain = compared(email).rpartition("@")
    return skeleton(f"{local.partition('+')[0]}{at}{domain}")
