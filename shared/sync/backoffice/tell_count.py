"""Tell a back office what was counted here."""

from urllib.parse import quote

from shared.backoffices.documents import CountLine, StockCount
from shared.backoffices.port import BackOffice
from shared.sync.backoffice.counts import Count


def tell_count(count: Count, office: BackOffice, warehouse: str) -> str:
    """Have the back office's shelf agree, once for each count, and return its document's id.

    Raises:
        Retry, Rejected: as the port.
    """
    return office.apply_count(
        StockCount(
            key=f"count/{count.location}/{count.seq}/{quote(count.sku, safe='')}"[:200],
            warehouse=warehouse,
            counted_on=count.booked_at.date(),
            lines=(CountLine(sku=count.sku, quantity=count.on_hand),),
        )
    )
