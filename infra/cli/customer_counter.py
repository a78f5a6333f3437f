"""Where the commands about customers work: a desk for them, and how each stands in the back offices."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from infra.cli.customer_facts import back_office_facts
from infra.cli.customer_rehearsal import rehearsed
from infra.cli.order_facts import Json
from shared.customers.maintenance import Side
from shared.customers.ports import CustomerDesk
from shared.customers.record import CustomerRecord
from shared.customers.rules import CustomerRules
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey
from shared.platform.configuration import settings
from shared.platform.settings import Settings
from shared.sync.customers.sides import Shop, shown_by_account
from shared.wiring.customer_desk import customer_desk
from shared.wiring.customer_push import person_mirrors
from shared.wiring.customer_tables import customer_table, marker


def desk_for(keys: Sequence[CustomerKey], *, dry_run: bool) -> CustomerDesk:
    """A desk for these customers: of the first whose shop is still connected. In a dry run it writes nothing.

    Raises:
        Rejected: `unknown_shop`.
    """
    connected = settings().shops
    shop = next((key.shop for key in keys if key.shop in connected), keys[0].shop)
    desk = customer_desk(shop)
    return rehearsed(desk) if dry_run else desk


def record_of(key: CustomerKey) -> CustomerRecord:
    """Of a shop that may be connected no more, or `Rejected` with code `unknown_customer`."""
    record = customer_table().find(key)
    if record is None:
        hint = "look for it: storebridge customers find ADDRESS-OR-NUMBER"
        raise Rejected("unknown_customer", f"there is no customer {key}", field="customer", hint=hint)
    return record


def members_of(record: CustomerRecord) -> list[CustomerRecord]:
    """Everyone who goes by the same leader, the leader first."""
    keys = customer_table().members(CustomerKey.parse(record.leader))
    found = customer_table().find_many(keys)
    return [found[key] for key in keys if key in found]


def offices_of(members: Iterable[CustomerRecord]) -> dict[str, list[CustomerRecord]]:
    """The back offices by name, each with the members whose shops it holds."""
    offices: dict[str, list[CustomerRecord]] = {}
    for member in members:
        connected = settings().shops.get(member.shop)
        if connected is not None and connected.backoffice is not None:
            offices.setdefault(connected.backoffice, []).append(member)
    return dict(sorted(offices.items()))


def stands_of(members: Sequence[CustomerRecord], *, personal: bool) -> Iterator[Json]:
    """How the person stands in each back office."""
    if not members:
        return
    leader = CustomerKey.parse(members[0].leader)
    mirrors = {mirror.backoffice: mirror for mirror in person_mirrors().of_person(leader)}
    offices: Mapping[str, list[CustomerRecord]] = {**{name: [] for name in mirrors}, **offices_of(members)}
    language = settings().notifications.language
    for name in sorted(offices):
        sides = [_side(member, settings()) for member in offices[name] if member.erased_at is None]
        yield back_office_facts(name, mirrors.get(name), sides, language, personal=personal)


def _side(record: CustomerRecord, known: Settings) -> Side:
    rules = known.shops[record.shop].customers if record.shop in known.shops else CustomerRules()
    country = known.country_of(record.shop) if record.shop in known.shops else None
    customer = customer_table().find_customer(record.key)
    return shown_by_account(record, customer, Shop(rules, accounts=None, country=country), marker()).side
