"""The second act, scene by scene: orders become sales in Tryton, what its warehouse does shows at the shops, and who
buys is the same person on both sides (see `customer_scenes`)."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from infra.demo.backoffice_stage import LOOK, SHOPS, House
from infra.demo.customer_scenes import MEETING, PEOPLE
from infra.demo.scenes import Told
from shared.backoffices.documents import InvoiceState, Sale, SaleState
from shared.kernel.identifiers import OrderKey
from shared.orders.models import Parcel

OUTAGE_ORDERS: Final = 10
_STOCK: Final = {"MUG": 40, "CAP": 20, "LAMP": 30}

Scene = Callable[[House], Iterator[Told]]


def opening(house: House) -> Iterator[Told]:
    for sku, units in _STOCK.items():
        house.have(sku, units)
    shelves = house.shelves(*_STOCK)
    yield Told(
        "The shelf is counted here",
        f"Tryton has {_listed({sku: there for sku, (_, there) in shelves.items()})}",
        "whoever counts tells the other, once for each count",
        shelves == {sku: (units, units) for sku, units in _STOCK.items()},
    )


def sale_at_aurora(house: House) -> Iterator[Told]:
    yield _sold(house, "aurora", 3)


def sale_at_borealis(house: House) -> Iterator[Told]:
    yield _sold(house, "borealis", 2)


def _sold(house: House, shop: str, units: int) -> Told:
    key = house.buy(shop, "MUG", units)
    sale, total = house.sale(key), house.record(key).total
    return Told(
        f"{units} mugs are ordered at {shop.title()}",
        f"sale {sale.number} {sale.state}, {sale.total}",
        f"the shop says {total}; released orders are confirmed, so that the warehouse ships",
        _is_confirmed(sale) and sale.total.equals(total),
    )


def unknown_product(house: House) -> Iterator[Told]:
    house.have("TEAPOT", 5)
    key = house.buy("borealis", "TEAPOT", 1)
    (entry,) = house.operate("desk", "list")["stopped"]
    stops = (entry["order"], entry["code"], entry["field"]) == (str(key), "backoffice_not_found", "sku")
    yield Told(
        "A teapot is ordered that Tryton does not know",
        f"{entry['order']} stops: {entry['reason']}",
        f"on the error desk, for {entry['who']}: {entry['command']}",
        stops and house.erp.find_sale(str(key)) is None,
    )
    house.staff.add_product("TEAPOT")
    house.operate(*shlex.split(entry["command"])[1:])
    house.settle()
    sale = house.sale(key)
    yield Told(
        "It is created in Tryton, the order retried with that command",
        f"sale {sale.number} {sale.state}, {len(house.stopped())} on the error desk",
        "it goes on where it stopped",
        _is_confirmed(sale) and not house.stopped(),
    )
    house.have("TEAPOT", 4)
    shelf = house.shelves("TEAPOT")["TEAPOT"]
    yield Told("The teapots are counted again", f"{shelf[0]} here, {shelf[1]} there", "now it is told", shelf == (4, 4))


def life_of_an_order(house: House) -> Iterator[Told]:
    key = _mugs_and_caps(house)
    yield _part_shipped(house, key)
    yield _seen_again(house, key)
    yield _line_refunded(house, key)
    yield from _rest_shipped(house, key)


def _mugs_and_caps(house: House) -> OrderKey:
    shop = house.stage.shops.borealis.shop
    wanted = [(product, units) for sku, units in (("MUG", 3), ("CAP", 2)) if (product := shop.by_sku(sku))]
    order = shop.create_order(wanted, "processing", "checkout")
    shop.announce(order, "order.created", "order.updated")
    house.settle()
    return OrderKey("borealis", str(order.id))


def _part_shipped(house: House, key: OrderKey) -> Told:
    house.staff.send_off(str(key), {"MUG": 1}, [Parcel(carrier=None, number="1Z777", url=None)])
    house.look()
    record, shown, mails = house.record(key), house.tracking_shown(key), house.mails(key)
    return Told(
        "Of 3 mugs and 2 caps, Tryton ships one mug",
        f"{record.fulfilment}; Borealis shows {', '.join(shown)}",
        f"{mails} mail to the buyer",
        (str(record.fulfilment), shown, mails) == ("partially_shipped", ["1Z777"], 1),
    )


def _seen_again(house: House, key: OrderKey) -> Told:
    for _ in range(2):
        house.look()
    mails, shown = house.mails(key), house.tracking_shown(key)
    return Told(
        "Tryton is looked at twice more",
        f"still {mails} mail, {len(shown)} parcel shown",
        "a consignment is told under its own key",
        (mails, shown) == (1, ["1Z777"]),
    )


def _line_refunded(house: House, key: OrderKey) -> Told:
    order = house.woo_order(key)
    cap = next(line for line in order.body["line_items"] if line["sku"] == "CAP")
    lines = [{"id": cap["id"], "quantity": cap["quantity"], "refund_total": cap["total"]}]
    house.stage.shops.borealis.shop.refund(order, {"amount": cap["total"], "api_refund": False, "line_items": lines})
    house.settle()
    sale = house.sale(key)
    left = {line.sku: line.quantity for line in sale.lines if line.quantity}
    return Told(
        "The shop refunds both caps",
        f"sale {sale.number} amended: {_listed(left)}, {sale.total}",
        f"{house.stage.level('CAP').reserved} CAP reserved: they are free to sell again",
        (left, house.stage.level("CAP").reserved) == ({"MUG": 3}, 0),
    )


def _rest_shipped(house: House, key: OrderKey) -> Iterator[Told]:
    house.staff.send_off(str(key), None, [Parcel(carrier=None, number="1Z778", url=None)])
    for _ in range(2):
        house.look()
    shown, status = house.tracking_shown(key), house.woo_order(key).body["status"]
    yield Told(
        "Tryton ships the rest",
        f"{house.record(key).fulfilment}; Borealis shows {', '.join(shown)}, {status}",
        f"{house.mails(key)} mails for 2 parcels",
        (shown, status, house.mails(key)) == (["1Z777", "1Z778"], "completed", 2),
    )
    sale = house.sale(key)
    yield Told(
        "Nothing is left to ship",
        f"invoice {_invoice(sale)}",
        "over what was kept: the caps are not on it",
        _is_paid(sale) and sale.total.equals(house.net(key)),
    )


def counting(house: House) -> Iterator[Told]:
    before = house.shelves("MUG")["MUG"]
    house.have("MUG", before[0] - 1)
    after = house.shelves("MUG")["MUG"]
    yield Told(
        f"Somebody counts {after[0]} mugs where both sides have {before[1]}",
        f"{after[1]} in Tryton",
        "the count is told; what ships moves both",
        before[0] == before[1] and after == (before[0] - 1, before[0] - 1),
    )


def outage(house: House) -> Iterator[Told]:
    before = house.keys()
    house.server.stop()
    for number in range(OUTAGE_ORDERS):
        house.stage.shops.buy(SHOPS[number % 2], "LAMP", 1 + number % 2)
    house.stage.shops.deliver()
    waits = house.wait_until(lambda: len(house.keys() - before) == OUTAGE_ORDERS and bool(house.stopped()))
    new = sorted(house.keys() - before)
    yield _orders_wait(house, new, waits)
    house.server.start()
    yield _orders_arrive(house, new)


def _orders_wait(house: House, new: Sequence[OrderKey], waits: bool) -> Told:
    ready, stopped = sum(house.record(key).status == "ready" for key in new), house.stopped()
    return Told(
        f"Tryton goes down; {OUTAGE_ORDERS} orders come in",
        f"{ready} ready to ship, none lost",
        f"{', '.join(sorted({entry.stop.code for entry in stopped}))}: their errands wait and nobody has to act",
        waits and ready == OUTAGE_ORDERS and all(entry.stop.passing for entry in stopped),
    )


def _orders_arrive(house: House, new: Sequence[OrderKey]) -> Told:
    house.stage.trigger(LOOK)
    house.wait_until(lambda: all(house.staff.sales()[str(key)] for key in new))  # each after the pause it has got
    house.settle()
    sales = house.staff.sales()
    once = [key for key in new if sales[str(key)] == 1 and _is_confirmed(house.sale(key))]
    return Told(
        "Tryton is up again",
        f"{len(once)} sales, each once; {len(house.stopped())} on the error desk",
        "every write looks first whether it is there already",
        len(once) == OUTAGE_ORDERS and not house.stopped(),
    )


def closing(house: House) -> Iterator[Told]:
    waiting = [key for key in sorted(house.keys()) if house.record(key).status == "ready"]
    house.staff.send_everything_off()
    house.look()
    paid = sum(_is_paid(house.sale(key)) for key in waiting)
    mails = sum(house.mails(key) for key in waiting)
    yield Told(
        f"Tryton ships all {len(waiting)} orders that wait",
        f"{paid} invoices posted and paid, {mails} mails to buyers",
        "with the last parcel the sale is invoiced, the payment booked",
        paid == mails == len(waiting),
    )


BACK_OFFICE: tuple[tuple[str, Scene], ...] = (
    ("Counting the shelf", opening),
    ("An order becomes a sale", sale_at_aurora),
    *MEETING,
    ("At the other shop too", sale_at_borealis),
    ("An unknown product", unknown_product),
    ("An order's whole life", life_of_an_order),
    ("A count", counting),
    *PEOPLE,
    ("Tryton goes down", outage),
    ("All is shipped", closing),
)


def _is_confirmed(sale: Sale) -> bool:
    return sale.state is SaleState.CONFIRMED


def _is_paid(sale: Sale) -> bool:
    invoice = sale.invoice
    return invoice is not None and invoice.state is InvoiceState.PAID and invoice.total.equals(sale.total)


def _invoice(sale: Sale) -> str:
    invoice = sale.invoice
    return f"{invoice.number} {invoice.state}, {invoice.total}" if invoice else "missing"


def _listed(units: dict[str, int]) -> str:
    return ", ".join(f"{sku} {count}" for sku, count in units.items())
