"""Put a shop's books together."""

from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.platform.configuration import settings
from shared.sync.backoffice.push import BooksDesk
from shared.sync.customers.buyers import Buyers
from shared.wiring.backoffice_connection import office, services
from shared.wiring.backoffice_tables import mirror_table
from shared.wiring.customer_tables import customer_table, marker
from shared.wiring.order_desk import desk as order_desk


def books_desk(shop: str) -> BooksDesk:
    """The shop's books by today's settings.

    Raises:
        Rejected: `unknown_shop`; `no_backoffice` when its orders stay here.
    """
    name = settings().shop(shop).backoffice
    if name is None:
        raise Rejected(
            "no_backoffice", f"shop {shop} has no back office", field=f"shops.{shop}.backoffice", hint="name one"
        )
    connected = settings().backoffice(name)
    return BooksDesk(
        name=name,
        office=office(name, connected),
        services=services(name, connected),
        rules=connected,
        orders=order_desk(shop),
        mirrors=mirror_table(),
        buyers=Buyers(customer_table(), marker()),
        clock=utc_now,
    )
