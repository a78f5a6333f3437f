"""Everything that is kept about a person, as one document: what the law has the merchant hand over on request."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from shared.backoffices.documents import KnownCustomer
from shared.customers.conflicts import EditConflict
from shared.customers.merges import Merge
from shared.customers.models import Customer
from shared.customers.record import CustomerRecord
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey
from shared.kernel.model import Canonical
from shared.orders.models import Order
from shared.sync.privacy.ports import PrivacyDesk


class KnownThere(Canonical):
    """What a back office holds."""

    backoffice: str
    customer: KnownCustomer


class CustomerExport(Canonical):
    record: CustomerRecord
    """With consents and verification."""
    customer: Customer | None
    """The account with its personal data; None where that has expired or was erased."""
    orders: tuple[Order, ...]
    """With the buyer as each order has it, the oldest first."""
    merges: tuple[Merge, ...]
    conflicts: tuple[EditConflict, ...]
    back_offices: tuple[KnownThere, ...]


class PersonExport(Canonical):
    schema_version: Literal["storebridge.person/1"] = "storebridge.person/1"
    person: str
    """Key of the customer whom the person goes by."""
    made_at: datetime
    customers: tuple[CustomerExport, ...]
    """All that are joined, whoever was asked for, by key."""


def export_person(key: CustomerKey, desk: PrivacyDesk) -> PersonExport:
    """All that is kept about the person whom this customer is. The same data gives the same document, but for the time.

    Raises:
        Rejected: `unknown_customer`.
        Retry: our tables or a back office are out of reach.
    """
    record = desk.customers.find(key)
    if record is None:
        raise Rejected("unknown_customer", f"there is no customer {key}", field="customer")
    leader = CustomerKey.parse(record.leader)
    records = desk.customers.find_many(desk.customers.members(leader))
    found = (_customer(records[member], desk) for member in sorted(records, key=str))
    return PersonExport(person=str(leader), made_at=desk.clock(), customers=tuple(found))


def _customer(record: CustomerRecord, desk: PrivacyDesk) -> CustomerExport:
    key = record.key
    return CustomerExport(
        record=record,
        customer=desk.customers.find_customer(key),
        orders=tuple(_orders(key, desk)),
        merges=tuple(desk.customers.merges_of(key)),
        conflicts=tuple(desk.customers.conflicts_of(key)),
        back_offices=tuple(_known_there(key, desk)),
    )


def _orders(key: CustomerKey, desk: PrivacyDesk) -> Iterator[Order]:
    accounts = (desk.orders.find_account(order) for order in desk.customers.orders_of(key))
    yield from sorted((one for one in accounts if one), key=lambda one: (one.created_at, one.order_id))


def _known_there(key: CustomerKey, desk: PrivacyDesk) -> Iterator[KnownThere]:
    for name, office in sorted(desk.offices(key.shop).items()):
        known = office.find_customer(str(key))
        if known is not None:
            yield KnownThere(backoffice=name, customer=known)
