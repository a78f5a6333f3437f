"""Put a shop's order desk together."""

from collections.abc import Callable

import tenacity

from shared.customers.rules import AskFor, VerificationRules
from shared.customers.verification import Standing
from shared.inventory.bundles import Bundles
from shared.kernel.clock import utc_now
from shared.kernel.errors import Conflict
from shared.orders.models import Order
from shared.orders.ports import Desk
from shared.platform.configuration import settings
from shared.platform.kept import Kept
from shared.wiring.storefront import ConnectedStorefront
from shared.wiring.tables import order_table, stock_table

_ATTEMPTS = 10


def desk(shop: str) -> Desk:
    """The shop's desk by today's settings, or `Rejected` with code `unknown_shop`."""
    connected = settings().shop(shop)
    stock = stock_table()
    return Desk(
        book=order_table(),
        stock=stock,
        storefront=ConnectedStorefront(shop, connected) if connected.api_access else None,
        locations=connected.locations,
        rules=settings().rules_of(shop),
        clock=utc_now,
        retrying=retry_conflicts,
        bundles=_bundles.get,
        standing=_standings(connected.customers.verification),
    )


def _standings(rules: VerificationRules) -> Callable[[Order], Standing]:
    """Where nobody is asked to prove an address, nobody is looked up for it, and no module loaded."""

    def standing(order: Order) -> Standing:
        if rules.ask is AskFor.OFF:
            return Standing.NOT_ASKED
        from shared.sync.customers.standing import BuyerStandings  # noqa: PLC0415 - see above
        from shared.wiring.customer_tables import customer_table, marker  # noqa: PLC0415

        return BuyerStandings(customer_table(), marker(), rules)(order)

    return standing


_bundles: Kept[Bundles] = Kept(lambda: stock_table().bundles())
"""Definitions of bundles change rarely: a change reaches every order within some minutes."""


def retry_conflicts() -> tenacity.Retrying:
    """Read and decide again when somebody was faster, with pauses that grow from 10 to 400 ms."""
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Conflict),
        stop=tenacity.stop_after_attempt(_ATTEMPTS),
        wait=tenacity.wait_random_exponential(multiplier=0.01, max=0.4),
        reraise=True,
    )
