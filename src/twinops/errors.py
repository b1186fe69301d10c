"""What may go wrong, in two sentences: what happened, and what to do about it."""


class TwinopsError(Exception):
    """A broken thing, with a hint for whoever can mend it. Refusals by policy are values, not errors.

    `exit_code` is what the command line ends with.
    """

    exit_code = 1

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what} Hint: {self.hint}" if self.hint else self.what


class ParamsError(TwinopsError):
    """`params.yaml`, a policy file or a command line says something we cannot act on."""

    exit_code = 2


class DataError(TwinopsError):
    """A source cannot be read, or what it holds cannot be used."""

    exit_code = 3


class IntegrityError(TwinopsError):
    """Bytes, keys or records are not what they were said to be."""

    exit_code = 4


class ServiceError(TwinopsError):
    """Something outside (MLflow, DVC, a kernel) did not do its part."""

    exit_code = 5


class LeakError(IntegrityError):
    """Personal data was about to be published; nothing was published."""


REFUSED = 10
"""Exit code of an answer "no" by policy. It is an answer, so it is not an exception."""
