"""Under which key a back office knows an order's buyer: that of the person, whichever of their accounts bought."""

from dataclasses import dataclass

from shared.customers.marks import Marker
from shared.customers.ports import CustomerFinder
from shared.orders.buyer import buyer_of
from shared.orders.models import Order


@dataclass(frozen=True)
class Buyers:
    """One read for each order."""

    customers: CustomerFinder
    marker: Marker

    def __call__(self, order: Order) -> str:
        """The key of the customer whom the person goes by; the buyer's own while nobody has told us of them; one for
        all whom nobody knows.

        Raises:
            Retry: the customers are out of reach.
        """
        key = buyer_of(order, self.marker)
        if key is None:
            return f"{order.shop}/guest"
        record = self.customers.find(key)
        return record.leader if record is not None else str(key)
