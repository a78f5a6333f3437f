"""Look for the same person among all shops' customers, by each shop's own rules."""

from shared.customers.matcher import match
from shared.customers.ports import CustomerDesk
from shared.kernel.identifiers import CustomerKey
from shared.platform.observability import count
from shared.wiring.customer_desk import rules_of


def match_customer(key: CustomerKey, desk: CustomerDesk) -> None:
    """Join the customer with whom the rules allow, and propose the rest."""
    matched = match(key, desk, rules_of=rules_of)
    for metric, found in (("CustomersJoined", matched.joined), ("CustomersProposed", matched.proposed)):
        if found:
            count(metric, len(found))
