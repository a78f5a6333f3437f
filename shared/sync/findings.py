"""What an examination of the two sides found, before the first order flows or when one is in trouble."""

from enum import StrEnum

from shared.kernel.errors import StorebridgeError
from shared.kernel.model import Canonical


class Side(StrEnum):
    BACKOFFICE = "backoffice"
    STOREFRONT = "storefront"


class Verdict(StrEnum):
    OK = "ok"
    INFO = "info"
    """Good to know; nothing has to be done."""
    WARNING = "warning"
    """Some orders may stop, or something is left out."""
    FAULT = "fault"
    """Orders will stop, or be wrong in the books."""


class Finding(Canonical):
    side: Side
    subject: str
    """The back office's or the shop's name in the settings."""
    check: str
    verdict: Verdict
    found: str
    mend: str | None = None


class Trouble(Canonical):
    """A question that was not answered."""

    code: str
    message: str
    hint: str | None = None

    @classmethod
    def of(cls, error: StorebridgeError) -> "Trouble":
        return cls(code=error.code, message=error.message, hint=error.hint)


class Notebook:
    """Findings of one side, as they are made."""

    def __init__(self, side: Side, subject: str) -> None:
        self._side = side
        self._subject = subject
        self.findings: list[Finding] = []

    def ok(self, check: str, found: str) -> None:
        self._note(check, Verdict.OK, found, None)

    def info(self, check: str, found: str, mend: str | None = None) -> None:
        self._note(check, Verdict.INFO, found, mend)

    def warning(self, check: str, found: str, mend: str | None) -> None:
        self._note(check, Verdict.WARNING, found, mend)

    def fault(self, check: str, found: str, mend: str | None) -> None:
        self._note(check, Verdict.FAULT, found, mend)

    def unanswered(self, check: str, trouble: Trouble) -> None:
        self.fault(check, f"{trouble.code}: {trouble.message}", trouble.hint)

    def _note(self, check: str, verdict: Verdict, found: str, mend: str | None) -> None:
        self.findings.append(
            Finding(side=self._side, subject=self._subject, check=check, verdict=verdict, found=found, mend=mend)
        )


_SHOWN = 20


def first(names: list[str]) -> str:
    """The first of many names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
