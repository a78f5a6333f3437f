"""Put the desk together at which staff work on cases."""

from shared.finance.review import ReviewDesk
from shared.kernel.clock import utc_now
from shared.platform.configuration import settings
from shared.wiring.finance_tables import finance_table
from shared.wiring.order_desk import retry_conflicts


def review_desk() -> ReviewDesk:
    return ReviewDesk(book=finance_table(), rules=settings().finance, clock=utc_now, retrying=retry_conflicts)
