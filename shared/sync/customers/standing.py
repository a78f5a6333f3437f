"""Whether an order's buyer is known to be who they say, for the review of the order."""

from dataclasses import dataclass

from shared.customers.marks import Marker
from shared.customers.ports import CustomerFinder
from shared.customers.rules import AskFor, VerificationRules
from shared.customers.verification import Standing, standing_of
from shared.orders.buyer import buyer_of
from shared.orders.models import Order


@dataclass(frozen=True)
class BuyerStandings:
    """The standing of one shop's buyers: one read for each order."""

    customers: CustomerFinder
    marker: Marker
    rules: VerificationRules

    def __call__(self, order: Order) -> Standing:
        """A buyer whom nobody has told us of yet is waited for; an order's own relay makes us learn of them.

        Raises:
            Retry: the customers are out of reach.
        """
        key = buyer_of(order, self.marker)
        record = self.customers.find(key) if key else None
        if record is None:
            return Standing.WAITING if self.rules.ask is AskFor.FIRST_ORDER else Standing.NOT_ASKED
        return standing_of(record, self.rules)
