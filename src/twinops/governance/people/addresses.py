"""One way to compare e-mail addresses: how a person types theirs is never a way to be somebody else."""

from __future__ import annotations

import unicodedata


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
