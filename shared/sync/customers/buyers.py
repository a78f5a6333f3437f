"""Under which key a back office knows an order's buyer: that of the person, whichever of their accounts bought."""

from dataclasses import dataclass

from shared.customers.marks import Marker
from shared.customers.ports import CustomerFinder
from shared.kernel.identifiers import CustomerKey
from shared.orders.buyer import buyer_of
from shared.orders.models import Order
from shared.sync.backoffice.customer import Buyer


@dataclass(frozen=True)
class Buyers:
    """One read for each order."""

    customers: CustomerFinder
    marker: Marker

    def __call__(self, order: Order) -> Buyer:
        """The customer whom the person goes by; the buyer's own while nobody has told us of them; one for all whom
        nobody knows.

        Raises:
            Retry: the customers are out of reach.
        """
        key = buyer_of(order, self.marker)
        if key is None:
            return Buyer(f"{order.shop}/guest")
        record = self.customers.find(key)
        if record is None:
            return Buyer(str(key))
        return Buyer(record.leader, is_kept_up=not CustomerKey.parse(record.leader).is_guest)
