"""Put bringing people together: one person's storefronts, and the back offices that hold the person."""

import os
from collections.abc import Mapping

from shared.customers.models import Customer, Profile, ProfileField
from shared.customers.ports import CustomerSide
from shared.kernel.clock import utc_now
from shared.kernel.errors import Conflict, Rejected, Retry, StorebridgeError
from shared.kernel.identifiers import CustomerKey
from shared.orders.errands import Office
from shared.platform.configuration import settings
from shared.platform.errand_queue import CustomerErrand, send
from shared.platform.settings import ShopSettings
from shared.sync.backoffice.outage import Outages
from shared.sync.customers.feed import FeedDesk
from shared.sync.customers.reconcile import PersonDesk, Together, bring_together
from shared.sync.customers.sides import Accounts, Shop
from shared.sync.customers.table import PersonMirrorTable
from shared.wiring.backoffice_connection import office
from shared.wiring.customer_desk import customer_desk
from shared.wiring.customer_tables import customer_table, marker
from shared.wiring.tables import connection


def bring(errand: CustomerErrand, outages: Outages) -> str:
    """Bring one person's storefronts and back offices together. Trouble with one back office stops no other.

    Raises:
        Retry, Conflict, Rejected: the trouble; what is to be tried again comes first.
    """
    record = customer_table().find(errand.key)
    if record is None:
        return "nobody whom we know"
    if not record.is_leader:  # its own errand, so that one person is worked on in one place at a time
        send([CustomerErrand(leader=record.leader)], Office.BACKOFFICE)
        return "goes by another customer"
    done: list[str] = []
    trouble: list[StorebridgeError] = []
    for name in _offices_of(errand.key):
        try:
            with outages.unless_down(name):
                done.append(_told(bring_together(errand.key, person_desk(name))))
        except (Retry, Conflict, Rejected) as error:
            trouble.append(error)
    if trouble:
        raise min(trouble, key=lambda error: isinstance(error, Rejected))
    return ", ".join(done) or "no back office"


def person_desk(backoffice: str) -> PersonDesk:
    """One back office and its shops by today's settings, or `Rejected` with code `unknown_backoffice`."""
    connected = settings().backoffice(backoffice)
    return PersonDesk(
        name=backoffice,
        office=office(backoffice, connected),
        rehearsal=connected.rehearsal,
        shops=dict(_shops(backoffice)),
        book=customer_table(),
        mirrors=person_mirrors(),
        marker=marker(),
        clock=utc_now,
    )


def feed_desk(backoffice: str) -> FeedDesk:
    return FeedDesk(
        name=backoffice,
        shops=frozenset(settings().shops),
        finder=customer_table(),
        mirrors=person_mirrors(),
        marker=marker(),
        country_of=settings().country_of,
    )


def person_mirrors() -> PersonMirrorTable:
    return PersonMirrorTable(connection(), os.environ["SYNC_TABLE"])


def _offices_of(leader: CustomerKey) -> tuple[str, ...]:
    """Back offices of the shops where the person has accounts, and those that the person has left."""
    shops = settings().shops
    now = (shops[key.shop].backoffice for key in customer_table().members(leader) if key.shop in shops)
    before = (mirror.backoffice for mirror in person_mirrors().of_person(leader))
    return tuple(dict.fromkeys(name for name in (*now, *before) if name in settings().backoffices))


def _shops(backoffice: str) -> Mapping[str, Shop]:
    return {
        name: Shop(
            rules=settings().shop(name).customers,
            accounts=_accounts(name),
            country=settings().country_of(name),
            has_one_address=settings().shop(name).platform == "shopify",
        )
        for name in settings().shops_of(backoffice)
    }


def _accounts(shop: str) -> Accounts | None:
    side = customer_desk(shop).storefront
    return _ConnectedAccounts(shop, settings().shop(shop), side) if side else None


class _ConnectedAccounts:
    """A shop's register in canonical words: read as the intake reads it, and written."""

    def __init__(self, shop: str, connected: ShopSettings, side: CustomerSide) -> None:
        self._shop = shop
        self._settings = connected
        self._side = side

    def fetch(self, customer_id: str) -> Customer | None:
        return self._side.fetch(customer_id)

    def write(self, customer_id: str, profile: Profile, fields: frozenset[ProfileField]) -> None:
        from shared.wiring.customer_register import register  # noqa: PLC0415 - few errands write to a storefront

        register(self._shop, self._settings).write(customer_id, profile, fields)


def _told(together: Together) -> str:
    return together.reason or ", ".join(together.written) or "nothing to do"
