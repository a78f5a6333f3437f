"""What is Jiandaoyun's own beside the contract."""

from datetime import timedelta
from decimal import Decimal

import pytest

from shared.backoffices.documents import (
    Address,
    ConsignmentState,
    CountLine,
    CustomerCard,
    GoodsLine,
    SaleState,
    Shipping,
    StockCount,
)
from shared.backoffices.jiandaoyun import mapping
from shared.backoffices.jiandaoyun.customers import LOG
from shared.backoffices.jiandaoyun.settings import JiandaoyunMapping, Row
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected
from tests.contract.backoffices.jiandaoyun_world import MAPPING, wrap
from tests.unit.backoffices.jiandaoyun.company import KEY, START, Company, eur, line, order


def _by_status() -> Company:
    """A company that ships orders whole, and notes it in the order."""
    values = MAPPING.model_dump()
    values["shipments"] = None
    values["orders"] |= {"tracking": "tracking", "carrier": "carrier", "shipped_at": "shipped_at"}
    company = Company(JiandaoyunMapping.model_validate(values))
    company.form(2).widgets |= {"tracking": "text", "carrier": "text", "shipped_at": "datetime"}
    return company


def test_a_status_and_a_number_tell_of_a_whole_shipment() -> None:
    company = _by_status()
    lines = (line("1", "MUG", 2, "20.00"), line("shipping/1", "SHIPPING", 1, "4.00"))
    recorded = company.office.record_sale(order(*lines, total="24.00"))
    assert (recorded.state, recorded.consignments) == (SaleState.CONFIRMED, ())
    row = company.form(2).rows[recorded.id]
    sent = wrap(status="已发货", tracking="SF123", carrier="顺丰", shipped_at="2026-11-23T08:00:00.000Z")
    company.fake.staff_change(company.form(2), row, sent)
    sale = company.office.find_sale(KEY)
    assert sale is not None
    assert (sale.state, sale.shipped) == (SaleState.DONE, {"1": 2})
    (left,) = sale.consignments
    assert [(parcel.carrier, parcel.number) for parcel in left.parcels] == [("顺丰", "SF123")]
    assert left.left_at == START - timedelta(minutes=62, seconds=9)
    with pytest.raises(Rejected, match="shipped"):
        company.office.cancel_sale(KEY)


def test_the_total_is_the_storefronts_and_the_lines_are_exact() -> None:
    company = Company()
    sale = company.office.record_sale(order(line("1", "MUG", 3, "10.00"), total="12.10"))
    row = company.form(2).rows[sale.id]
    assert (row["total"], row["lines"][0]["amount"]) == (Decimal("12.10"), Decimal("10.00"))
    assert row["status"] == "待处理"
    assert row["name"] == "#1001"


def test_lines_that_stay_keep_their_rows() -> None:
    company = Company()
    first = company.office.record_sale(order(line("1", "MUG", 3, "30.00"), line("2", "CAP", 1, "5.00"), total="35.00"))
    before = [each["_id"] for each in company.form(2).rows[first.id]["lines"]]
    amended = company.office.amend_sale(
        order(line("1", "MUG", 2, "20.00"), line("3", "LAMP", 1, "9.00"), total="29.00")
    )
    after = [each["_id"] for each in company.form(2).rows[first.id]["lines"]]
    assert after[0] == before[0]
    assert before[1] not in after
    assert amended.total.equals(eur("29.00"))


def test_what_has_left_stays_in_the_order_and_in_its_total() -> None:
    company = Company()
    company.office.record_sale(order(line("1", "MUG", 3, "30.00"), total="30.00"))
    goods = (GoodsLine(key="1", sku="MUG", quantity=2),)
    company.office.ship(Shipping(key=f"{KEY}/shipped/1", sale=KEY, lines=goods))
    sale = company.office.amend_sale(order(line("1", "MUG", 1, "10.00"), total="10.00"))
    assert [(one.quantity, one.settled) for one in sale.lines] == [(2, 2)]
    assert sale.total.equals(eur("20.00"))


def test_staff_name_goods_by_sku_and_what_has_not_gone_is_picked() -> None:
    company = Company()
    lines = (line("1", "MUG", 2, "20.00"), line("2", "MUG", 2, "18.00"))
    company.office.record_sale(order(*lines, total="38.00"))
    goods = [wrap(sku="MUG", quantity=3)]
    row = company.fake.staff_enter(company.form(5), wrap(order_key=KEY, goods=goods, tracking="A, B"))
    sale = company.office.find_sale(KEY)
    assert sale is not None
    (waiting,) = sale.consignments
    assert (waiting.state, sale.shipped) == (ConsignmentState.PICKED, {})
    assert {one.key: one.settled for one in sale.lines} == {"1": 2, "2": 1}
    company.fake.staff_change(company.form(5), row, wrap(shipped_at="2026-11-23T08:00:00.000Z"))
    sale = company.office.find_sale(KEY)
    assert sale is not None
    assert sale.shipped == {"1": 2, "2": 1}
    assert [parcel.number for parcel in sale.consignments[0].parcels] == ["A", "B"]


def test_more_than_is_open_is_not_shipped() -> None:
    company = Company()
    company.office.record_sale(order(line("1", "MUG", 1, "10.00"), total="10.00"))
    shipping = Shipping(key=f"{KEY}/shipped/1", sale=KEY, lines=(GoodsLine(key="1", sku="MUG", quantity=2),))
    with pytest.raises(Rejected, match="2 × MUG cannot be shipped: 1 are open"):
        company.office.ship(shipping)


def test_a_warehouse_that_is_not_mapped_is_named() -> None:
    elsewhere = order(line("1", "MUG", 1, "10.00"), total="10.00").model_copy(update={"warehouse": "北京仓"})
    with pytest.raises(Rejected) as refusal:
        Company().office.record_sale(elsewhere)
    assert (refusal.value.code, refusal.value.field) == (Refusal.NOT_FOUND, "warehouse")


def test_a_customer_is_written_only_where_he_has_changed() -> None:
    company = Company()
    home = Address(name="张三", street=("中山路1号",), city="上海", subdivision="上海市")
    card = CustomerCard(key="aurora/c/7", name="张三", email="zhang@example.test", billing=home)
    data_id = company.office.save_customer(card)
    company.fake.requests.clear()
    assert company.office.save_customer(card) == data_id
    assert company.fake.requests == ["data/list"]
    company.office.save_customer(card.model_copy(update={"email": "san@example.test", "phone": None}))
    (told,) = company.office.changed_customers(START, None).items
    assert told.card.email == "san@example.test"
    assert told.card.billing == Address(name="张三", street=("中山路1号",), city="上海", subdivision="上海市")


ADA = CustomerCard(
    key="aurora/customer/7",
    name="Ada Lovelace",
    email="ada@example.test",
    shipping=Address(name="Ada Lovelace", street=("Dam 1",), postal_code="1012", city="Amsterdam", country="NL"),
)


def test_a_street_that_staff_split_is_left_as_they_wrote_it() -> None:
    company = Company()
    home = Address(street=("浦东新区 世纪大道1号",), city="上海市", subdivision="上海")
    card = CustomerCard(key="aurora/c/7", name="张三", billing=home)
    row = company.form(1).rows[company.office.save_customer(card)]
    split = {"province": "上海", "city": "上海市", "district": "浦东新区", "detail": "世纪大道1号"}
    company.fake.staff_change(company.form(1), row, wrap(area=split))
    company.office.save_customer(card)
    assert row["area"] == split
    company.office.save_customer(
        card.model_copy(update={"billing": home.model_copy(update={"street": ("南京路2号",)})})
    )
    assert row["area"] == {**split, "district": "", "detail": "南京路2号"}


def test_parts_of_another_address_do_not_stay() -> None:
    company = Company()
    company.office.save_customer(ADA)
    moved = Address(street=("Strand 5",), city="London", country="GB")
    company.office.save_customer(ADA.model_copy(update={"shipping": moved}))
    known = company.office.find_customer(ADA.key)
    assert known is not None
    assert known.card.shipping == moved


def _ordered(company: Company, customer: str) -> Row:
    bought = order(line("1", "MUG", 2, "20.00"), line("fee/1", "FEE", 1, "1.00"), total="21.00")
    sale = company.office.record_sale(bought.model_copy(update={"customer": ADA, "customer_id": customer}))
    return company.form(2).rows[sale.id]


def test_an_order_keeps_its_address_until_its_goods_have_left() -> None:
    company = Company()
    customer = company.office.save_customer(ADA)
    row = _ordered(company, customer)
    waiting = company.office.forget_customer(ADA.key)
    assert waiting is not None
    assert waiting.kept == ("addresses of 1 orders whose goods have not all left, as far as Jiandaoyun tells", LOG)
    assert row["city"] == "Amsterdam"
    assert "Lovelace" not in f"{company.form(1).rows}"
    goods = (GoodsLine(key="1", sku="MUG", quantity=2),)
    company.office.ship(Shipping(key=f"{KEY}/shipped/1", sale=KEY, lines=goods))
    forgotten = company.office.forget_customer(ADA.key)
    assert forgotten is not None
    assert forgotten.kept == (LOG,)
    assert (row["recipient"], row["street"], row["city"], row["country"]) == ("", "", "", "")
    company.fake.requests.clear()
    assert company.office.forget_customer(ADA.key) == forgotten
    assert set(company.fake.requests) == {"data/list"}


def test_orders_that_cannot_be_searched_by_their_customer_are_said() -> None:
    company = Company()
    row = _ordered(company, company.office.save_customer(ADA))
    company.form(2).widgets["customer"] = "textarea"
    forgotten = company.office.forget_customer(ADA.key)
    assert forgotten is not None
    assert forgotten.kept == ("addresses of orders: Jiandaoyun cannot search customer; make it a 单行文本", LOG)
    assert row["city"] == "Amsterdam"


def test_a_form_in_which_nothing_changed_is_not_read() -> None:
    company = Company()
    company.office.record_sale(order(line("1", "MUG", 1, "10.00"), total="10.00"))
    company.fake.requests.clear()
    feed = company.office.changed_sales(START + timedelta(days=1), None)
    assert (feed.items, feed.cursor) == ((), "1:")
    assert company.fake.requests == ["widget/list"]
    assert company.office.changed_sales(START, None).items == (KEY,)
    with pytest.raises(Rejected, match="invalid_cursor"):
        company.office.changed_sales(START, "7:")


def test_only_changed_rows_of_a_page_are_told() -> None:
    company = Company()
    for number in range(150):
        company.fake.staff_enter(company.form(4), wrap(sku=f"S{number}", warehouse="上海仓", on_hand=1))
    company.hours.time += timedelta(hours=1)
    since = company.hours.now()
    row = next(row for row in company.form(4).rows.values() if row["sku"] == "S120")
    company.fake.staff_change(company.form(4), row, wrap(on_hand=0), in_bulk=True)
    first = company.office.changed_stock(since, None)
    assert first.items == ()
    second = company.office.changed_stock(since, first.cursor)
    assert (second.items, second.cursor) == (("S120",), None)


def test_rows_of_one_product_are_summed_and_a_count_goes_to_the_first() -> None:
    company = Company()
    for units in (3, 4):
        company.fake.staff_enter(company.form(4), wrap(sku="MUG", warehouse="上海仓", on_hand=units))
    assert company.office.stock(["MUG"], "上海仓")["MUG"].on_hand == 7
    lines = (CountLine(sku="MUG", quantity=5), CountLine(sku="CAP", quantity=2))
    count = StockCount(key="aurora/count/1", warehouse="上海仓", counted_on=START.date(), lines=lines)
    assert company.office.apply_count(count) == company.office.apply_count(count)
    figures = company.office.stock(["MUG", "CAP"], "上海仓")
    assert {sku: figure.on_hand for sku, figure in figures.items()} == {"MUG": 5, "CAP": 2}


@pytest.mark.parametrize("value", ["12", True, []])
def test_a_number_that_is_none_is_a_fault_of_the_mapping(value: object) -> None:
    with pytest.raises(Rejected) as refusal:
        mapping.number(value)
    assert refusal.value.code == Refusal.BUG


def test_nothing_is_no_units() -> None:
    assert mapping.whole(None) == 0


def test_what_it_keeps_none_of_is_said() -> None:
    office = Company().office
    with pytest.raises(Rejected, match="keeps no invoices"):
        office.post_invoice(KEY)
