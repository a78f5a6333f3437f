"""Put a shop's customer desk together."""

from shared.customers.models import Customer
from shared.customers.ports import CustomerDesk
from shared.customers.readings import CompleteCustomer
from shared.customers.rules import CustomerRules
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.platform.configuration import settings
from shared.platform.settings import ShopSettings
from shared.storefronts.port import CustomerReader
from shared.wiring.customer_tables import customer_table, marker
from shared.wiring.order_desk import retry_conflicts


def customer_desk(shop: str) -> CustomerDesk:
    """The shop's desk by today's settings, or `Rejected` with code `unknown_shop`."""
    connected = settings().shop(shop)
    return CustomerDesk(
        shop=shop,
        book=customer_table(),
        storefront=_ConnectedRegister(shop, connected) if connected.api_access else None,
        marker=marker(),
        rules=connected.customers,
        clock=utc_now,
        retrying=retry_conflicts,
        country=settings().country_of(shop),
        takes_mail=_takes_mail,
    )


def rules_of(shop: str) -> CustomerRules:
    """The rules of a shop that may not be connected any more."""
    connected = settings().shops.get(shop)
    return connected.customers if connected else CustomerRules()


def customer_reader(platform: str) -> CustomerReader:
    """The vendor's way from a delivery to the canonical customer."""
    if platform == "shopify":
        from shared.storefronts.shopify.customer_mapping import read_customer  # noqa: PLC0415 - load one vendor only

        return read_customer
    from shared.storefronts.woocommerce.customer_mapping import (  # noqa: PLC0415
        read_customer as read_woocommerce_customer,
    )

    return read_woocommerce_customer


class _ConnectedRegister:
    """Implements the customer desk's port on a vendor's register."""

    def __init__(self, shop: str, connected: ShopSettings) -> None:
        self._shop = shop
        self._settings = connected

    def fetch(self, customer_id: str) -> Customer | None:
        from shared.wiring.customer_register import register  # noqa: PLC0415 - httpx costs 135 ms, and few need it

        delivery = register(self._shop, self._settings).fetch(customer_id)
        if delivery is None:
            return None
        reading = customer_reader(self._settings.platform)(delivery)
        if isinstance(reading, CompleteCustomer):
            return reading.customer
        raise Rejected("invalid_payload", "the shop answers with less than a customer")


def _takes_mail(domain: str) -> bool | None:
    from shared.platform.mail_domains import takes_mail  # noqa: PLC0415 - the resolver is needed by few shops

    return takes_mail(domain)
