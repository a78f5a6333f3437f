"""Put the examination together: every shop with its back office, by today's settings. Only reads."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from heapq import nlargest

from shared.kernel.errors import Rejected, Retry
from shared.platform.configuration import settings
from shared.platform.settings import ShopSettings
from shared.storefronts.port import Inspection, Need, ShopFacts
from shared.sync.backoffice.doctor import Expected, facts_of, judge
from shared.sync.findings import Finding, Notebook, Side, Trouble
from shared.sync.shop_doctor import ExpectedShop, judge_shop
from shared.wiring.backoffice_connection import connected_office
from shared.wiring.storefront_client import credentials_of, http
from shared.wiring.tables import order_table, stock_table

Tell = Callable[[str], None]
"""Hears what is being looked at."""


@dataclass(frozen=True)
class _Wares:
    """What we know of the goods that the shops sell."""

    on_shelf: Mapping[str, frozenset[str]]
    """SKUs by location."""
    ordered: Mapping[str, frozenset[str]]
    """SKUs of the latest orders, by shop."""


def examine(shops: Iterable[str], tell: Tell, *, orders: int) -> tuple[Finding, ...]:
    """Examine these shops and the back offices that they are connected to. Reads the tables of stock and orders.

    `orders`: how many of each shop's latest orders are compared with the back office's products.

    Raises:
        Rejected: `unknown_shop`.
        Retry: settings or tables are out of reach. Troubles of either side are findings.
    """
    chosen = {name: settings().shop(name) for name in shops}
    wares = _wares(chosen, orders, tell)
    findings: list[Finding] = []
    currencies: dict[str, str] = {}
    for office in sorted({shop.backoffice for shop in chosen.values() if shop.backoffice}):
        tell(f"Looking at {office} …")
        findings += _office(office, chosen, wares, currencies)
    for name, shop in sorted(chosen.items()):
        tell(f"Looking at {name} …")
        findings += _shop(name, shop, currencies)
    return tuple(findings)


def _wares(shops: Mapping[str, ShopSettings], orders: int, tell: Tell) -> _Wares:
    tell("Reading the stock …")
    on_shelf: dict[str, set[str]] = {}
    for line in stock_table().read_all():
        on_shelf.setdefault(line.location, set()).add(line.sku)
    ordered = {}
    for name in shops if orders else ():
        tell(f"Reading the orders of {name} …")
        latest = nlargest(orders, order_table().all_records(name), key=lambda record: record.placed_at)
        ordered[name] = frozenset(line.sku for record in latest for line in record.lines if line.sku)
    return _Wares({place: frozenset(skus) for place, skus in on_shelf.items()}, ordered)


def _office(
    name: str, shops: Mapping[str, ShopSettings], wares: _Wares, currencies: dict[str, str]
) -> tuple[Finding, ...]:
    connected, books = settings().backoffice(name), settings().finance
    mine = {shop: known for shop, known in shops.items() if known.backoffice == name}
    places = {place for known in mine.values() for place in known.locations}
    expected = Expected(
        name=name,
        rules=connected,
        company=connected.company,
        locations={shop: known.locations for shop, known in mine.items()},
        stock_skus=_union(wares.on_shelf.get(place) for place in places),
        ordered_skus=_union(wares.ordered.get(shop) for shop in mine),
        journal_accounts=books.backoffice_accounts if books.backoffice == name else None,
    )
    try:
        office = connected_office(name)
    except (Rejected, Retry) as error:
        notes = Notebook(Side.BACKOFFICE, name)
        notes.unanswered("answers", Trouble.of(error))
        return tuple(notes.findings)
    facts = facts_of(office, expected)
    if facts.identity is not None:
        currencies[name] = facts.identity.currency
    return judge(facts, expected)


def _union(sets: Iterable[frozenset[str] | None]) -> frozenset[str]:
    return frozenset(sku for found in sets for sku in found or ())


def _shop(name: str, shop: ShopSettings, currencies: Mapping[str, str]) -> tuple[Finding, ...]:
    expected = ExpectedShop(
        name=name,
        needs=frozenset(_needs(shop)),
        stock_location=shop.stock_location if shop.platform == "shopify" and shop.keeps_stock else None,
        books_currency=currencies.get(shop.backoffice) if shop.backoffice else None,
    )
    findings = judge_shop(_facts(name, shop), expected)
    if shop.backoffice is not None:
        return findings
    notes = Notebook(Side.BACKOFFICE, name)
    notes.info("connected", "the shop has no back office: its orders stay here", f"name one: shops.{name}.backoffice")
    return (*findings, *notes.findings)


def _needs(shop: ShopSettings) -> Iterable[Need]:
    if shop.api_access:
        yield Need.ORDERS
        if shop.keeps_stock:
            yield Need.STOCK
        if shop.tell_storefront:
            yield Need.FULFILMENT
        if shop.repair.customers:
            yield Need.CUSTOMERS


def _facts(name: str, shop: ShopSettings) -> ShopFacts | Trouble | None:
    if not shop.api_access:
        return None
    try:
        return _inspection(name, shop).facts()
    except (Rejected, Retry) as error:
        return Trouble.of(error)


def _inspection(name: str, shop: ShopSettings) -> Inspection:
    if shop.platform == "shopify":
        from shared.storefronts.shopify.inspection import ShopifyInspection  # noqa: PLC0415 - load one vendor only

        return ShopifyInspection(shop.address, credentials_of(name), http(), shop.api_version)
    from shared.storefronts.woocommerce.inspection import WooCommerceInspection  # noqa: PLC0415

    return WooCommerceInspection(shop.address, credentials_of(name), http())
