"""What a back office says of changed customers: whose sides are to be looked at, and what is only our own echo."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shared.backoffices.documents import KnownCustomer
from shared.customers.marks import Marker
from shared.customers.ports import CustomerFinder
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey
from shared.sync.customers.mirror import PersonMirrors
from shared.sync.customers.sides import shown_by_party


@dataclass(frozen=True)
class FeedDesk:
    """One back office's feed of customers."""

    name: str
    shops: frozenset[str]
    """All shops that we know: a party is kept under the key of whom the person goes by, wherever that is."""
    finder: CustomerFinder
    mirrors: PersonMirrors
    marker: Marker
    country_of: Callable[[str], str | None]


@dataclass(frozen=True)
class Changed:
    leaders: tuple[CustomerKey, ...]
    """Whose sides may differ now, each once."""
    echoes: int
    """Parties that show what we wrote there, or saw last."""


def whom_to_look_at(customers: Iterable[KnownCustomer], desk: FeedDesk) -> Changed:
    """The persons whose parties were changed by somebody else. Parties that are not ours are nobody's.

    Raises:
        Retry: the store is out of reach.
    """
    ours = {key: customer for customer in customers if (key := _ours(customer.key, desk))}
    records = desk.finder.find_many(ours)
    leaders: dict[CustomerKey, None] = {}
    echoes = 0
    for key, customer in ours.items():
        record = records.get(key)
        if record is None or record.erased_at is not None:
            continue
        if record.is_leader and _is_echo(key, customer, desk):
            echoes += 1
        else:
            leaders[CustomerKey.parse(record.leader)] = None
    return Changed(tuple(leaders), echoes)


def _ours(text: str | None, desk: FeedDesk) -> CustomerKey | None:
    try:
        key = CustomerKey.parse(text or "")
    except Rejected:
        return None
    return key if key.shop in desk.shops else None


def _is_echo(leader: CustomerKey, customer: KnownCustomer, desk: FeedDesk) -> bool:
    mirror = desk.mirrors.find(leader, desk.name)
    if mirror is None:
        return False
    side = shown_by_party(customer, desk.name, desk.country_of(leader.shop), desk.marker).side
    base = mirror.base.sides.get(side.name)
    return base is not None and not base.begun and base.values == side.values
