"""Bringing the back office to an order, over a whole life, on a back office in memory. In the trade's words."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.backoffices.documents import InvoiceState, Sale, SaleState
from shared.kernel.errors import Rejected, Retry
from shared.kernel.identifiers import CustomerKey
from shared.kernel.money import Money
from shared.orders.cancel import cancel
from shared.orders.lifecycle import FulfilmentState
from shared.orders.models import (
    FulfilmentLine,
    Order,
    Parcel,
    PaymentState,
    PersonalData,
    Refund,
    RefundLine,
    RestockKind,
    TaxLine,
)
from shared.orders.review import ReviewRules
from shared.sync.backoffice.customer import Buyer
from shared.sync.backoffice.push import push
from shared.sync.backoffice.rules import InvoiceMoment
from tests.builders.books import (
    KEY,
    RULES,
    Company,
    account,
    company,
    euros,
    paid_by,
    shipping,
    taxed,
    vat,
)
from tests.builders.customers import record as customer_record
from tests.builders.orders import ADDRESS, NOON, line, shipment
from tests.contract.backoffices.world import Killed, quantities


def mugs_and_cap(*, minute: int = 0, **overrides: Any) -> Order:
    """3 mugs at 12.50, a cap at 10.00 with the lower tax, shipping: 52.50 in all."""
    return account(
        taxed("MUG", 3, "37.50", "6.51"),
        taxed("CAP", 1, "10.00", "0.83", "0.09"),
        ship=shipping("5.00", "0.87"),
        minute=minute,
        **overrides,
    )


def given_back(
    line_id: str, units: int, gross: str, tax: str, restock: RestockKind, *, refund_id: str = "77", minute: int = 5
) -> Refund:
    subtotal, part = euros(gross), euros(tax)
    return Refund(
        id=refund_id,
        created_at=NOON + timedelta(minutes=minute),
        amount=subtotal,
        lines=(RefundLine(line_id=line_id, quantity=units, restock=restock, subtotal=subtotal, tax=part),),
        transactions=(paid_by(gross, f"re-{refund_id}", kind="refund"),),
    )


def without_cap(**overrides: Any) -> Order:
    """The cap was taken out and refunded before it left."""
    return account(
        taxed("MUG", 3, "37.50", "6.51"),
        taxed("CAP", 1, "10.00", "0.83", "0.09", current_quantity=0, open_quantity=0),
        ship=shipping("5.00", "0.87"),
        **{
            "minute": 6,
            "refunds": (given_back("line-CAP", 1, "10.00", "0.83", RestockKind.CANCELLED_BEFORE_SHIPPING),),
            "payment": PaymentState.PARTIALLY_REFUNDED,
            **overrides,
        },
    )


def test_a_new_order_is_recorded_confirmed_and_paid_in_step() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap())
    pushed = shop.push()
    assert pushed.steps == ("Record", "Confirm")
    sale = shop.sale()
    assert sale.state is SaleState.CONFIRMED
    assert quantities(sale) == {"line-MUG": 3, "line-CAP": 1, "shipping/s1": 1}
    assert str(sale.total) == "52.50 EUR"
    assert shop.push().steps == ()
    mirror = shop.mirrors.mirrors[KEY]
    assert (mirror.pushed, mirror.sale_number, mirror.stop) == (shop.record().revision, "SO-1", None)
    assert shop.mirrors.promised("erp", "main", ["MUG", "CAP"]) == {"MUG": 3, "CAP": 1}


def test_a_held_order_waits_as_a_draft() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap(payment=PaymentState.PENDING, transactions=()))
    assert shop.push().steps == ("Record",)
    assert shop.sale().state is SaleState.DRAFT
    assert shop.mirrors.promised("erp", "main", ["MUG"]) == {}


def test_a_test_order_is_never_recorded() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap(test=True))
    assert shop.push().steps == ()
    assert shop.office.sales() == []


def test_a_rehearsal_writes_nothing() -> None:
    shop = company(MUG=10, CAP=10)
    shop.rules = RULES.model_copy(update={"rehearsal": True})
    shop.take_in(mugs_and_cap())
    assert shop.push().steps == ()
    assert set(shop.office.calls) <= {"products", "find_sale"}
    assert KEY not in shop.mirrors.mirrors
    shop.rules = RULES
    assert shop.push().steps == ("Record", "Confirm")


def test_goods_leave_the_stock_when_the_warehouse_sends_them_and_the_invoice_follows_the_last() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap())
    shop.push()
    tracked = (Parcel(carrier="DHL", number="JD1", url=None),)
    shop.office.send_off(str(KEY), {"line-MUG": 2}, tracked)
    assert shop.push().dispatches == 1
    record = shop.record()
    assert record.fulfilment is FulfilmentState.PARTIALLY_SHIPPED
    assert (shop.room.lines["MUG", "main"].on_hand, shop.room.lines["MUG", "main"].reserved) == (8, 1)
    assert shop.mirrors.mirrors[KEY].dispatches[0].parcels == tracked
    assert shop.sale().invoice is None
    shop.office.send_off(str(KEY))
    assert shop.push().steps == ("PostInvoice", "Pay")
    assert shop.record().fulfilment is FulfilmentState.SHIPPED
    assert (shop.room.lines["MUG", "main"].on_hand, shop.room.lines["MUG", "main"].reserved) == (7, 0)
    invoice = shop.sale().invoice
    assert invoice is not None
    assert (invoice.state, str(invoice.total)) == (InvoiceState.PAID, "52.50 EUR")
    shop.office.deliver(str(KEY))
    shop.push()
    assert shop.record().fulfilment is FulfilmentState.DELIVERED
    assert shop.mirrors.promised("erp", "main", ["MUG", "CAP"]) == {"MUG": 0, "CAP": 0}


def test_tracking_that_comes_later_is_told_and_moves_no_stock() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap())
    shop.push()
    shop.office.send_off(str(KEY))
    shop.push()
    before, on_hand = shop.record(), shop.room.lines["MUG", "main"].on_hand
    sale = shop.office._sales[str(KEY)]
    late = (Parcel(carrier=None, number="LATE", url=None),)
    sale.consignments = [one.model_copy(update={"parcels": late}) for one in sale.consignments]
    shop.push()
    assert shop.record().dispatches != before.dispatches
    assert shop.room.lines["MUG", "main"].on_hand == on_hand
    assert shop.push().steps == ()


def test_part_shipped_then_a_line_refunded_then_the_rest() -> None:
    """Our record, the stock and the books agree at each step."""
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap())
    shop.push()
    shop.office.send_off(str(KEY), {"line-MUG": 1})
    shop.push()
    shop.take_in(without_cap())
    assert shop.push().steps == ("Amend",)
    assert quantities(shop.sale()) == {"line-MUG": 3, "shipping/s1": 1}
    assert str(shop.sale().total) == "42.50 EUR"
    assert shop.room.lines["CAP", "main"].available == 10
    shop.office.send_off(str(KEY))
    shop.push()
    assert str(shop.invoiced) == "42.50 EUR"
    assert shop.office.credits == {}
    assert shop.record().fulfilment is FulfilmentState.SHIPPED
    assert (shop.room.lines["MUG", "main"].on_hand, shop.room.lines["MUG", "main"].reserved) == (7, 0)
    assert shop.office.on_hand["MUG", "WH"] == 7


def test_a_unit_that_came_back_is_a_return_and_a_credit_note() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap())
    shop.push()
    shop.office.send_off(str(KEY))
    shop.push()
    back = given_back("line-MUG", 1, "12.50", "2.17", RestockKind.RETURNED)
    shop.take_in(
        account(
            taxed("MUG", 3, "37.50", "6.51", current_quantity=2, open_quantity=0),
            taxed("CAP", 1, "10.00", "0.83", "0.09", open_quantity=0),
            ship=shipping("5.00", "0.87"),
            minute=6,
            refunds=(back,),
            payment=PaymentState.PARTIALLY_REFUNDED,
            fulfilments=(shipment(("line-MUG", 3), ("line-CAP", 1)),),
        )
    )
    assert shop.push().steps == ("TakeBack", "IssueCredit", "Pay")
    assert str(shop.invoiced) == "40.00 EUR"
    assert shop.office.on_hand["MUG", "WH"] == 8
    assert shop.room.lines["MUG", "main"].on_hand == 8
    (note,) = shop.office.credits.values()
    assert note.state is InvoiceState.PAID
    assert shop.push().steps == ()


def test_money_without_goods_is_a_credit_note_alone() -> None:
    shop = company(MUG=10, CAP=10)
    shop.rules = RULES.model_copy(update={"invoice": InvoiceMoment.PAID})
    shop.take_in(mugs_and_cap())
    assert shop.push().steps == ("Record", "Confirm", "PostInvoice", "Pay")
    goodwill = Refund(
        id="78", created_at=NOON, amount=euros("4.00"), transactions=(paid_by("4.00", "re-78", kind="refund"),)
    )
    shop.take_in(mugs_and_cap(minute=7, refunds=(goodwill,), payment=PaymentState.PARTIALLY_REFUNDED))
    assert shop.push().steps == ("IssueCredit", "Pay")
    assert shop.office.returns == {}
    assert str(shop.invoiced) == "48.50 EUR"


def test_a_line_taken_out_after_the_invoice_is_amended_and_credited() -> None:
    shop = company(MUG=10, CAP=10)
    shop.rules = RULES.model_copy(update={"invoice": InvoiceMoment.PAID})
    shop.take_in(mugs_and_cap())
    shop.push()
    shop.take_in(without_cap())
    assert shop.push().steps == ("Amend", "IssueCredit", "Pay")
    assert str(shop.invoiced) == "42.50 EUR"
    shop.office.send_off(str(KEY))
    shop.push()
    assert shop.record().fulfilment is FulfilmentState.SHIPPED
    assert str(shop.invoiced) == "42.50 EUR"


def test_a_line_added_after_the_invoice_asks_for_a_person() -> None:
    shop = company(MUG=10, CAP=10)
    shop.rules = RULES.model_copy(update={"invoice": InvoiceMoment.PAID})
    shop.take_in(account(taxed("MUG", 1, "12.50", "2.17")))
    shop.push()
    shop.take_in(account(taxed("MUG", 1, "12.50", "2.17"), taxed("CAP", 1, "10.00", "0.83", "0.09"), minute=5))
    with pytest.raises(Rejected) as refusal:
        shop.push()
    assert refusal.value.code == "invoice_outgrown"


def test_a_cancelled_order_is_cancelled_there_too() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap())
    shop.push()
    shop.take_in(mugs_and_cap(minute=4, cancelled_at=NOON, payment=PaymentState.VOIDED))
    assert shop.push().steps == ("Cancel",)
    assert shop.sale().state is SaleState.CANCELLED
    assert shop.mirrors.promised("erp", "main", ["MUG"]) == {"MUG": 0}
    assert shop.push().steps == ()


def test_an_operator_cancels_a_draft() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap(payment=PaymentState.PENDING, transactions=()))
    shop.push()
    cancel(KEY, shop.orders, by="mia")
    assert shop.push().steps == ("Cancel",)


def test_an_order_that_was_cancelled_before_it_was_recorded_never_is() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap(cancelled_at=NOON))
    assert shop.push().steps == ()
    assert shop.office.sales() == []


def test_the_warehouse_was_faster_than_the_cancellation() -> None:
    """What left is expected back, and credited once the storefront refunds it."""
    shop = company(MUG=10, CAP=10)
    shop.take_in(account(taxed("MUG", 2, "25.00", "4.34")))
    shop.push()
    shop.office.send_off(str(KEY))
    back = given_back("line-MUG", 2, "25.00", "4.34", RestockKind.CANCELLED_BEFORE_SHIPPING)
    gone = account(
        taxed("MUG", 2, "25.00", "4.34", current_quantity=0, open_quantity=0),
        minute=6,
        cancelled_at=NOON,
        refunds=(back,),
        payment=PaymentState.REFUNDED,
    )
    shop.take_in(gone)
    shop.push()
    pushed = shop.push()
    assert shop.record().fulfilment is FulfilmentState.SHIPPED
    assert pushed.dispatches == 1
    (recall,) = shop.office.returns.values()
    assert (recall.received, recall.lines[0].quantity) == (False, 2)
    assert str(shop.invoiced) == "0.00 EUR"
    assert shop.room.lines["MUG", "main"].on_hand == 8
    assert shop.push().steps == ()


def test_what_was_picked_stays_until_the_warehouse_decides() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(account(taxed("MUG", 2, "25.00", "4.34")))
    shop.push()
    shop.office.pick(str(KEY))
    shop.take_in(account(taxed("MUG", 2, "25.00", "4.34"), minute=6, cancelled_at=NOON))
    shop.push()
    assert shop.sale().state is SaleState.CONFIRMED
    assert quantities(shop.sale()) == {"line-MUG": 2}


def test_the_storefront_ships_itself() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap())
    shop.push()
    shop.take_in(mugs_and_cap(minute=5, fulfilments=(shipment(("line-MUG", 3), ("line-CAP", 1)),)))
    pushed = shop.push()
    assert pushed.steps == ("Ship", "PostInvoice", "Pay")
    assert shop.sale().shipped == {"line-MUG": 3, "line-CAP": 1}
    assert shop.push().steps == ()


def test_our_own_shipment_shown_by_the_storefront_is_not_shipped_again() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap())
    shop.push()
    shop.office.send_off(str(KEY), {"line-MUG": 2})
    shop.push()
    shop.take_in(
        account(
            taxed("MUG", 3, "37.50", "6.51", open_quantity=1),
            taxed("CAP", 1, "10.00", "0.83", "0.09"),
            ship=shipping("5.00", "0.87"),
            minute=5,
            fulfilments=(shipment(("line-MUG", 2)),),
        )
    )
    assert shop.push().steps == ()
    assert shop.room.lines["MUG", "main"].on_hand == 8


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        pytest.param(lambda shop: shop.office.stocked.pop("CAP"), "backoffice_not_found", id="no such product"),
        pytest.param(
            lambda shop: setattr(shop, "rules", RULES.model_copy(update={"taxes": {"0.21": "VAT 21"}})),
            "unmapped_tax",
            id="a rate nobody named",
        ),
        pytest.param(
            lambda shop: setattr(shop, "rules", RULES.model_copy(update={"taxes": {"0.21": "VAT 9", "0.09": "VAT 9"}})),
            "totals_differ",
            id="the wrong tax",
        ),
        pytest.param(
            lambda shop: setattr(shop, "rules", RULES.model_copy(update={"warehouses": {}})),
            "no_warehouse",
            id="no warehouse",
        ),
    ],
)
def test_what_stops_an_order_is_on_the_error_desk_until_it_is_mended(
    prepare: Callable[[Company], object], code: str
) -> None:
    shop = company(MUG=10, CAP=10)
    prepare(shop)
    shop.take_in(mugs_and_cap())
    for attempt in (1, 2):
        with pytest.raises(Rejected) as refusal:
            shop.push()
        assert refusal.value.code == code
        (entry,) = shop.mirrors.stopped("aurora")
        assert (entry.stop.code, entry.stop.attempts, entry.stop.passing) == (code, attempt, False)
        assert entry.stop.hint
    shop.office.add_product("CAP", 10)
    shop.rules = RULES
    assert shop.push().steps == ("Record", "Confirm") or shop.sale().state is SaleState.CONFIRMED
    assert list(shop.mirrors.stopped("aurora")) == []
    assert str(shop.sale().total) == "52.50 EUR"


def test_a_back_office_that_is_down_is_tried_again() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap())

    def down(_method: str, _when: str) -> None:
        raise Retry("backoffice_unreachable", "no answer")

    shop.office.interrupt = down
    with pytest.raises(Retry):
        shop.push()
    (entry,) = shop.mirrors.stopped("aurora")
    assert entry.stop.passing
    shop.office.interrupt = lambda _method, _when: None
    shop.push()
    assert list(shop.mirrors.stopped("aurora")) == []


def test_a_custom_line_without_a_sku_waits_for_a_product() -> None:
    shop = company(MUG=10)
    shop.take_in(account(line(None, 1, id="custom", product_id=None, subtotal=euros("8.00"))))
    with pytest.raises(Rejected) as refusal:
        shop.push()
    assert refusal.value.code == "missing_sku"
    shop.rules = RULES.model_copy(update={"products": RULES.products.model_copy(update={"no_sku": "FEE"})})
    shop.push()
    assert str(shop.sale().total) == "8.00 EUR"


@pytest.mark.parametrize(
    ("gross", "tax", "units"),
    [("37.50", "6.51", 3), ("0.99", "0.17", 7), ("19.99", "3.47", 3), ("100.00", "17.35", 6), ("0.01", "0.00", 1)],
)
def test_the_books_come_to_the_storefronts_total_to_the_cent(gross: str, tax: str, units: int) -> None:
    shop = company(MUG=50)
    shop.take_in(account(taxed("MUG", units, gross, tax)))
    shop.push()
    assert str(shop.sale().total) == f"{gross} EUR"


def test_taxes_on_top_of_prices_tie_out_too() -> None:
    shop = company(MUG=50)
    order = account(
        line("MUG", 3, subtotal=euros("29.97"), taxes=(taxed("MUG", 1, "1", "6.29").taxes)), taxes_included=False
    )
    totals = order.totals.model_copy(update={"total": euros("36.26"), "tax": euros("6.29")})
    shop.take_in(order.model_copy(update={"totals": totals, "transactions": (paid_by("36.26"),)}))
    shop.push()
    assert str(shop.sale().total) == "36.26 EUR"


# ---- what a stranger's review found ----------------------------------------------------------------------------------


def test_a_stop_keeps_nothing_back_of_what_is_known() -> None:
    """The back office ships although the order stopped: the stock, the record and its promises follow all the same."""
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap())
    shop.push()
    shop.office.send_off(str(KEY), {"line-MUG": 2})
    shop.rules = RULES.model_copy(update={"taxes": {}})
    with pytest.raises(Rejected):
        shop.push()
    assert shop.record().fulfilment is FulfilmentState.PARTIALLY_SHIPPED
    assert shop.room.lines["MUG", "main"].on_hand == 8
    assert shop.mirrors.promised("erp", "main", ["MUG", "CAP"]) == {"MUG": 1, "CAP": 1}


def test_a_sale_cancelled_there_is_promised_to_nobody() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap())
    shop.push()
    shop.office.cancel_sale(str(KEY))
    for _ in range(2):
        with pytest.raises(Rejected, match="cancelled_in_backoffice"):
            shop.push()
    assert shop.mirrors.promised("erp", "main", ["MUG", "CAP"]) == {"MUG": 0, "CAP": 0}


def test_two_shipments_of_one_line_by_the_storefront_are_two_there() -> None:
    shop = company(MUG=10)
    first = shipment(("line-MUG", 2))
    second = first.model_copy(update={"id": "ship-2", "lines": (FulfilmentLine(line_id="line-MUG", quantity=1),)})
    shop.take_in(account(taxed("MUG", 3, "37.50", "6.51", open_quantity=1), fulfilments=(first,)))
    assert "Ship" in shop.push().steps
    shop.take_in(account(taxed("MUG", 3, "37.50", "6.51", open_quantity=0), minute=2, fulfilments=(first, second)))
    assert "Ship" in shop.push().steps
    assert shop.sale().shipped == {"line-MUG": 3}
    assert shop.push().steps == ()


def test_what_the_storefront_shipped_is_no_news_to_it() -> None:
    shop = company(MUG=10)
    shop.take_in(account(taxed("MUG", 1, "12.50", "2.17")))
    shop.push()
    sent = shipment(("line-MUG", 1))
    shop.take_in(account(taxed("MUG", 1, "12.50", "2.17", open_quantity=0), minute=2, fulfilments=(sent,)))
    shop.push()
    assert [one.by_storefront for one in shop.mirrors.mirrors[KEY].dispatches] == [True]
    assert shop.room.lines["MUG", "main"].on_hand == 9


def test_the_stock_follows_shipments_of_both_sides() -> None:
    shop = company(MUG=10)
    first = shipment(("line-MUG", 1))
    shop.take_in(account(taxed("MUG", 3, "37.50", "6.51", open_quantity=2), fulfilments=(first,)))
    shop.push()
    shop.office.send_off(str(KEY))
    shop.push()
    assert shop.record().fulfilment is FulfilmentState.SHIPPED
    assert shop.room.lines["MUG", "main"].on_hand == shop.office.on_hand["MUG", "WH"] == 7
    assert [one.by_storefront for one in shop.mirrors.mirrors[KEY].dispatches] == [True, False]


def test_units_taken_out_without_money_are_given_back_once() -> None:
    """An edit takes a unit out, and the money follows as a refund without lines."""
    shop = company(MUG=10)
    shop.rules = RULES.model_copy(update={"invoice": InvoiceMoment.PAID})
    three = account(taxed("MUG", 3, "36.30", "6.30"))
    shop.take_in(three)
    shop.push()
    taken_out = given_back("line-MUG", 1, "12.10", "2.10", RestockKind.CANCELLED_BEFORE_SHIPPING, refund_id="1")
    nothing = taken_out.model_copy(update={"amount": euros("0.00"), "transactions": ()})
    money = Refund(
        id="2",
        created_at=NOON + timedelta(minutes=7),
        amount=euros("12.10"),
        transactions=(paid_by("12.10", "re-2", kind="refund"),),
    )
    two = taxed("MUG", 3, "36.30", "6.30", current_quantity=2, open_quantity=2)
    shop.take_in(account(two, minute=8, refunds=(nothing, money), payment=PaymentState.PARTIALLY_REFUNDED))
    shop.push()
    assert str(shop.invoiced) == "24.20 EUR"


def test_a_unit_taken_out_of_an_unpaid_invoice_is_credited_although_it_was_paid_since() -> None:
    shop = company(MUG=10)
    shop.rules = RULES.model_copy(update={"invoice": InvoiceMoment.ORDER})
    rules = ReviewRules(release_when="any")
    shop.orders = replace(shop.orders, rules=rules)
    shop.take_in(account(taxed("MUG", 3, "36.30", "6.30"), payment=PaymentState.PENDING, transactions=()))
    shop.push()
    taken_out = given_back("line-MUG", 1, "12.10", "2.10", RestockKind.CANCELLED_BEFORE_SHIPPING, refund_id="1")
    nothing = taken_out.model_copy(update={"amount": euros("0.00"), "transactions": ()})
    two = taxed("MUG", 3, "36.30", "6.30", current_quantity=2, open_quantity=2)
    shop.take_in(account(two, minute=8, refunds=(nothing,), transactions=(paid_by("24.20"),)))
    shop.push()
    assert str(shop.invoiced) == "24.20 EUR"


def test_goods_that_came_back_before_they_were_paid_are_owed_no_more() -> None:
    shop = company(MUG=10)
    shop.orders = replace(shop.orders, rules=ReviewRules(release_when="any"))
    unpaid: dict[str, Any] = {"payment": PaymentState.PENDING, "transactions": ()}
    shop.take_in(account(taxed("MUG", 1, "12.10", "2.10"), **unpaid))
    shop.push()
    shop.office.send_off(str(KEY))
    shop.push()
    assert str(shop.invoiced) == "12.10 EUR"
    back = given_back("line-MUG", 1, "12.10", "2.10", RestockKind.RETURNED)
    nothing = back.model_copy(update={"amount": euros("0.00"), "transactions": ()})
    gone = taxed("MUG", 1, "12.10", "2.10", current_quantity=0, open_quantity=0)
    sent = shipment(("line-MUG", 1))
    shop.take_in(account(gone, minute=8, refunds=(nothing,), fulfilments=(sent,), **unpaid))
    shop.push()
    assert str(shop.invoiced) == "0.00 EUR"


def test_shipping_that_is_kept_is_booked_although_no_goods_are_left() -> None:
    shop = company(MUG=10)
    kept = account(
        taxed("MUG", 1, "12.10", "2.10", current_quantity=0, open_quantity=0),
        ship=shipping("6.05", "1.05"),
        refunds=(given_back("line-MUG", 1, "12.10", "2.10", RestockKind.CANCELLED_BEFORE_SHIPPING),),
        payment=PaymentState.PARTIALLY_REFUNDED,
    )
    shop.take_in(kept)
    shop.push()
    assert quantities(shop.sale()) == {"shipping/s1": 1}
    assert str(shop.invoiced) == "6.05 EUR"


def test_an_order_of_goods_and_a_service_completes_with_its_goods() -> None:
    shop = company(MUG=10)
    service = taxed("FEE", 1, "12.10", "2.10", requires_shipping=False, stock_tracked=False)
    shop.take_in(account(taxed("MUG", 1, "12.10", "2.10"), service))
    shop.push()
    assert shop.mirrors.promised("erp", "main", ["MUG", "FEE"]) == {"MUG": 1}
    shop.office.send_off(str(KEY))
    shop.push()
    assert shop.record().fulfilment is FulfilmentState.SHIPPED
    assert str(shop.invoiced) == "24.20 EUR"


def test_goods_are_called_back_once_each() -> None:
    shop = company(MUG=10)
    shop.take_in(account(taxed("MUG", 2, "25.00", "4.34")))
    shop.push()
    shop.office.send_off(str(KEY))
    for minute, left in ((6, 1), (7, 0)):
        line_now = taxed("MUG", 2, "25.00", "4.34", current_quantity=left, open_quantity=left)
        shop.take_in(account(line_now, minute=minute))
        shop.push()
        shop.push()
    assert sum(line.quantity for back in shop.office.returns.values() for line in back.lines) == 2


def test_a_part_that_the_warehouse_dropped_is_not_invoiced_as_shipped() -> None:
    shop = company(MUG=10)
    shop.take_in(account(taxed("MUG", 2, "25.00", "4.34")))
    shop.push()
    shop.office.send_off(str(KEY), {"line-MUG": 1})
    sale = shop.office._sales[str(KEY)]
    sale.consignments = [one for one in sale.consignments if one.has_left]
    assert "PostInvoice" not in shop.push().steps


def test_a_shipment_that_vanished_asks_for_a_person_and_ships_nothing_again() -> None:
    shop = company(MUG=10)
    shop.take_in(account(taxed("MUG", 1, "12.50", "2.17")))
    shop.push()
    shop.office.send_off(str(KEY))
    shop.push()
    shop.office._sales[str(KEY)].consignments = []
    for _ in range(2):
        with pytest.raises(Rejected, match="dispatch_withdrawn"):
            shop.push()
    assert shop.record().fulfilment is FulfilmentState.SHIPPED


def test_a_shop_that_moves_to_another_back_office_starts_anew_there() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(mugs_and_cap())
    shop.push()
    other = company(MUG=10, CAP=10).office
    moved = replace(shop.desk, name="other", office=other)
    assert push(KEY, moved).steps == ("Record", "Confirm")
    assert shop.mirrors.promised("erp", "main", ["MUG"]) == {"MUG": 0}
    assert shop.mirrors.promised("other", "main", ["MUG"]) == {"MUG": 3}


def test_a_tax_that_the_channel_remits_is_a_charge_without_tax() -> None:
    shop = company(MUG=10)
    remitted = TaxLine(title="NY", rate="0.08875", amount=euros("1.09"), channel_liable=True)
    order = account(taxed("MUG", 1, "12.50", "2.17", taxes=(remitted,)))
    shop.take_in(order)
    shop.push()
    assert str(shop.sale().total) == "12.50 EUR"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        pytest.param({"sku": "X" * 255}, "invalid_sku", id="a SKU that nobody can keep"),
        pytest.param({"taxes": (TaxLine(title="?", rate="21%", amount=euros("2.17")),)}, "unmapped_tax", id="no rate"),
        pytest.param({"taxes": (vat("1.00"), vat("1.17"))}, "unmapped_tax", id="two taxes that are one there"),
    ],
)
def test_what_cannot_be_booked_is_refused_by_name(spoil: dict[str, Any], code: str) -> None:
    shop = company(MUG=10)
    shop.take_in(account(taxed("MUG", 1, "12.50", "2.17").model_copy(update=spoil)))
    with pytest.raises(Rejected) as refusal:
        shop.push()
    assert refusal.value.code == code


def test_a_sale_in_another_currency_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = company(MUG=10)
    shop.take_in(account(taxed("MUG", 1, "12.50", "2.17")))
    shop.push()
    dollars = shop.sale().model_copy(update={"total": Money.parse("12.50", "USD")})
    monkeypatch.setattr(shop.office, "find_sale", lambda _key: dollars)
    with pytest.raises(Rejected, match="currency_differs"):
        shop.push()


# ---- killed anywhere -------------------------------------------------------------------------------------------------


def _life(shop: Company) -> tuple[Callable[[], object], ...]:
    """An order's life as seen from the push: what happens around it between two pushes."""
    back = given_back("line-MUG", 1, "12.50", "2.17", RestockKind.RETURNED, refund_id="79", minute=9)
    cut = without_cap().refunds[0]
    last = account(
        taxed("MUG", 3, "37.50", "6.51", current_quantity=2, open_quantity=0),
        taxed("CAP", 1, "10.00", "0.83", "0.09", current_quantity=0, open_quantity=0),
        ship=shipping("5.00", "0.87"),
        minute=10,
        refunds=(cut, back),
        payment=PaymentState.PARTIALLY_REFUNDED,
        fulfilments=(shipment(("line-MUG", 3)),),
    )
    return (
        lambda: shop.take_in(mugs_and_cap()),
        lambda: shop.office.send_off(str(KEY), {"line-MUG": 1}),
        lambda: shop.take_in(without_cap()),
        lambda: shop.office.send_off(str(KEY)),
        lambda: shop.take_in(last),
    )


def _push_dying(shop: Company, *, after: bool, at: int) -> bool:
    """Push with a worker that dies at its `at`-th call; whether it lived."""
    calls = 0

    def die(_method: str, when: str) -> None:
        nonlocal calls
        calls += when == "before"
        if calls == at + 1 and when == ("after" if after else "before"):
            raise Killed

    shop.office.interrupt = die
    try:
        shop.push()
    except Killed:
        return False
    finally:
        shop.office.interrupt = lambda _method, _when: None
    return True


@pytest.mark.parametrize("after", [False, True], ids=["before each call", "after each call"])
def test_killed_anywhere_there_is_one_of_everything(*, after: bool) -> None:
    shop = company(MUG=10, CAP=10)
    for happens in _life(shop):
        happens()
        at = 0
        while not _push_dying(shop, after=after, at=at):
            at += 1
    shop.push()
    (sale,) = shop.office.sales()
    _assert_ended_well(shop, sale)


def test_killed_once_at_any_call_of_a_life_it_ends_the_same() -> None:
    """The same with a single death, at every single call of the whole life, before and after."""
    for after in (False, True):
        for deadly in range(100):
            shop = company(MUG=10, CAP=10)
            died = _live_with_one_death(shop, deadly, after=after)
            (sale,) = shop.office.sales()
            _assert_ended_well(shop, sale)
            if not died:
                break
        else:
            pytest.fail("no end to the calls of one life")


def _live_with_one_death(shop: Company, deadly: int, *, after: bool) -> bool:
    calls, died = 0, False

    def die(_method: str, when: str) -> None:
        nonlocal calls, died
        calls += when == "before"
        if not died and calls == deadly + 1 and when == ("after" if after else "before"):
            died = True
            raise Killed

    for happens in _life(shop):
        shop.office.interrupt = lambda _method, _when: None
        happens()
        shop.office.interrupt = die
        for _ in range(2):
            try:
                shop.push()
            except Killed:
                continue
    shop.office.interrupt = lambda _method, _when: None
    return died


def _assert_ended_well(shop: Company, sale: Sale) -> None:
    assert quantities(sale) == {"line-MUG": 3, "shipping/s1": 1}
    assert sale.shipped == {"line-MUG": 3}
    assert len(sale.invoices) == 1
    assert str(sale.invoices[0].total) == "42.50 EUR"
    assert len(shop.office.credits) == 1
    assert str(shop.invoiced) == "30.00 EUR"
    assert len(shop.office.returns) == 1
    assert shop.record().fulfilment is FulfilmentState.SHIPPED
    held = shop.room.lines["MUG", "main"]
    assert (held.on_hand, held.reserved, shop.office.on_hand["MUG", "WH"]) == (8, 0, 8)
    assert shop.room.lines["CAP", "main"].available == 10


# ---- the buyer -------------------------------------------------------------------------------------------------------


def of_the_account(account: Order, **personal: Any) -> Order:
    known = {"customer_id": "17", "email": "eve@example.test", "first_name": "Eve", "last_name": "Shopper"}
    addressed = {"billing_address": ADDRESS, "shipping_address": ADDRESS}
    return account.model_copy(update={"personal": PersonalData.model_validate({**known, **addressed, **personal})})


def test_the_buyer_is_the_person_and_not_the_account() -> None:
    shop = company(MUG=10, CAP=10)
    key = CustomerKey("aurora", "customer", "17")
    shop.customers.records[key] = customer_record(str(key), leader="borealis/customer/4")
    shop.take_in(of_the_account(mugs_and_cap()))
    shop.push()
    (card,) = shop.office.customers().values()
    assert (card.key, card.name, card.email) == ("borealis/customer/4", "Eve Shopper", "eve@example.test")


def test_an_amended_order_leaves_the_customer_as_the_back_office_knows_him() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(of_the_account(mugs_and_cap()))
    shop.push()
    shop.office.edit_customer("aurora/customer/17", name="Eve King", email="king@example.test")
    shop.take_in(of_the_account(without_cap(), phone="+4930901820"))
    assert shop.push().steps == ("Amend",)
    card = shop.office.customers()["aurora/customer/17"]
    assert (card.name, card.email, card.phone) == ("Eve King", "king@example.test", "+4930901820")


def test_while_customers_are_out_of_reach_nothing_is_recorded_and_all_is_read() -> None:
    shop = company(MUG=10, CAP=10)
    shop.take_in(of_the_account(mugs_and_cap()))

    def nowhere(_order: Order) -> Buyer:
        raise Retry("store_unreachable", "no answer")

    with pytest.raises(Retry):
        push(KEY, replace(shop.desk, buyers=nowhere))
    assert shop.office.sales() == []
    shop.push()
    assert shop.sale().state is SaleState.CONFIRMED
