"""What lost when a field was changed on both sides at once, or by a side that does not own it. Personal data."""

from datetime import datetime

from shared.customers.models import ProfileField
from shared.kernel.model import Canonical


class EditConflict(Canonical):
    leader: str
    """Key of the customer whom the person goes by."""
    field: ProfileField
    winner: str
    """The side whose value stands: a customer's key, or `backoffice/erp`."""
    loser: str
    kept: str | None
    """The value that stands, as one line for people."""
    lost: str | None
    reason: str
    """`owner` (of the field), `newest`, or `refused`: the loser's side does not take the value."""
    at: datetime

    @property
    def id(self) -> str:
        return f"{self.at.isoformat()}/{self.field}/{self.loser}"
