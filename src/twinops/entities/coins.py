"""Currencies whose smallest coin is not a hundredth (ISO 4217)."""

WITHOUT_MINOR_UNITS = frozenset(
    ("JPY", "KRW", "CLP", "VND", "ISK", "UGX", "XAF", "XOF", "BIF", "DJF", "GNF", "KMF", "PYG", "RWF", "VUV", "XPF")
)
WITH_THREE_MINOR_UNITS = frozenset(("KWD", "BHD", "OMR", "TND", "JOD", "IQD", "LYD"))
