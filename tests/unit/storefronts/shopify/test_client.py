"""The client against a shop that answers our own documents from data in Shopify's field names, page by page."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from graphql import (
    ArgumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    parse,
)

from shared.kernel.clock import as_sortable
from shared.kernel.errors import Rejected, Retry
from shared.kernel.money import Amount, Money
from shared.orders.models import Order, PaymentState, RestockKind, Tender
from shared.orders.totals import prove_totals
from shared.storefronts.port import CompleteOrder, StorefrontClient
from shared.storefronts.shopify.client import ShopifyClient
from shared.storefronts.shopify.mapping import read_order

Json = dict[str, Any]

NOW = datetime(2026, 11, 23, 9, 2, 11, tzinfo=UTC)
UPDATED = "2026-11-23T09:02:09Z"
ORDER_GID = "gid://shopify/Order/5001"


class FakeShop:
    """Resolves queries over plain objects, and lets a test spoil single answers."""

    def __init__(self, *objects: Json) -> None:
        self.objects = {found["id"]: found for found in objects}
        self.requests: list[httpx.Request] = []
        self.before_answer: Callable[[int], httpx.Response | None] = lambda _number: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        spoilt = self.before_answer(len(self.requests))
        if spoilt is not None:
            return spoilt
        asked = json.loads(request.content)
        return httpx.Response(200, json={"data": self._data(asked["query"], asked["variables"])})

    def _data(self, query: str, variables: Mapping[str, str]) -> Json:
        document = parse(query)
        fragments = {item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)}
        operation = next(item for item in document.definitions if isinstance(item, OperationDefinitionNode))
        (field,) = operation.selection_set.selections
        assert isinstance(field, FieldNode)
        assert field.alias is not None
        assert field.selection_set is not None
        found = self.objects.get(variables["id"])
        resolver = Resolver(fragments, variables)
        return {field.alias.value: found and resolver.select(found, field.selection_set)}


class Resolver:
    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, str]) -> None:
        self.fragments = fragments
        self.variables = variables

    def select(self, found: Json, selection: SelectionSetNode) -> Json:
        answer: Json = {}
        for node in selection.selections:
            if isinstance(node, FieldNode):
                name = node.alias.value if node.alias else node.name.value
                answer[name] = self.field(found, node)
            elif isinstance(node, FragmentSpreadNode):
                answer |= self.select(found, self.fragments[node.name.value].selection_set)
            elif isinstance(node, InlineFragmentNode) and named(node) == found["__typename"]:
                answer |= self.select(found, node.selection_set)
        return answer

    def field(self, found: Json, node: FieldNode) -> Any:
        value = found[node.name.value]
        if node.selection_set is None or value is None:
            return value
        arguments = {argument.name.value: argument for argument in node.arguments or ()}
        if "first" in arguments:
            return self.page(value, node.selection_set, arguments)
        if isinstance(value, list):
            return [self.select(item, node.selection_set) for item in value]
        return self.select(value, node.selection_set)

    def page(self, items: list[Json], selection: SelectionSetNode, arguments: Mapping[str, ArgumentNode]) -> Json:
        size, after = arguments["first"].value, arguments.get("after")
        assert isinstance(size, IntValueNode)
        start = 0
        if after is not None:
            assert isinstance(after.value, VariableNode)
            start = int(self.variables[after.value.name.value])
        end = start + int(size.value)
        info = {"hasNextPage": end < len(items), "endCursor": str(end)}
        return self.select({"pageInfo": info, "nodes": items[start:end]}, selection)


def named(fragment: InlineFragmentNode) -> str | None:
    return fragment.type_condition.name.value if fragment.type_condition else None


def bag(amount: str, buyer: str | None = None) -> Json:
    return {
        "shopMoney": {"amount": amount, "currencyCode": "CHF"},
        "presentmentMoney": {"amount": buyer or amount, "currencyCode": "EUR"},
    }


def tax(amount: str) -> Json:
    return {"title": "VAT", "rate": 0.19, "channelLiable": None, "priceSet": bag(amount)}


def line(number: int, **overrides: Any) -> Json:
    return {
        "id": f"gid://shopify/LineItem/{number}",
        "product": {"id": "gid://shopify/Product/7"},
        "variant": {"id": "gid://shopify/ProductVariant/8", "inventoryItem": {"tracked": True}},
        "sku": f"MUG-{number}",
        "title": "Blue Mug",
        "variantTitle": None,
        "vendor": "Aurora",
        "quantity": 1,
        "currentQuantity": 1,
        "unfulfilledQuantity": 1,
        "originalUnitPriceSet": bag("1.00", "1.10"),
        "discountAllocations": [],
        "taxLines": [],
        "duties": [],
        "taxable": True,
        "isGiftCard": False,
        "requiresShipping": True,
        "customAttributes": [],
    } | overrides


def payment(number: int, amount: Json, **overrides: Any) -> Json:
    return {
        "id": f"gid://shopify/OrderTransaction/{number}",
        "parentTransaction": None,
        "kind": "SALE",
        "status": "SUCCESS",
        "gateway": "shopify_payments",
        "accountNumber": None,
        "amountSet": amount,
        "test": False,
        "createdAt": UPDATED,
        "processedAt": UPDATED,
    } | overrides


def order(**overrides: Any) -> Json:
    nothing = dict.fromkeys(
        [
            *("cancelledAt", "cancelReason", "closedAt", "poNumber", "confirmationNumber", "originalTotalDutiesSet"),
            *("originalTotalAdditionalFeesSet", "currentTotalDutiesSet", "currentTotalAdditionalFeesSet", "phone"),
            *("customer", "billingAddress", "shippingAddress", "note", "clientIp", "customerLocale", "email"),
        ]
    )
    empty: Json = {
        name: []
        for name in (
            *("taxLines", "additionalFees", "customAttributes", "transactions", "refunds", "fulfillments", "tags"),
            *("lineItems", "shippingLines", "discountApplications", "discountCodes", "paymentGatewayNames"),
        )
    }
    zero = dict.fromkeys(
        [
            *(
                "totalDiscountsSet",
                "totalShippingPriceSet",
                "totalTaxSet",
                "totalTipReceivedSet",
                "totalOutstandingSet",
            ),
            *("currentTotalDiscountsSet", "currentTotalTaxSet", "currentSubtotalPriceSet", "currentTotalPriceSet"),
        ],
        bag("0.00"),
    )
    return (
        nothing
        | empty
        | zero
        | {
            "id": ORDER_GID,
            "name": "#1001",
            "createdAt": UPDATED,
            "updatedAt": UPDATED,
            "processedAt": UPDATED,
            "sourceName": "web",
            "test": False,
            "confirmed": True,
            "displayFinancialStatus": "PAID",
            "displayFulfillmentStatus": "UNFULFILLED",
            "currencyCode": "CHF",
            "presentmentCurrencyCode": "EUR",
            "taxesIncluded": False,
            "dutiesIncluded": False,
            "estimatedTaxes": False,
            "taxExempt": False,
            "customerAcceptsMarketing": False,
            "risk": {"recommendation": "INVESTIGATE"},
            "totalCashRoundingAdjustment": {"paymentSet": bag("0.00"), "refundSet": bag("0.00")},
            "subtotalPriceSet": bag("1.00", "1.10"),
            "totalPriceSet": bag("1.00", "1.10"),
            "lineItems": [line(1)],
        }
        | overrides
    )


class RotatingCredentials:
    """Stale until they are asked for afresh."""

    def __call__(self, *, fresh: bool = False) -> Mapping[str, str]:
        return {"access_token": "fresh" if fresh else "stale"}


def client(shop: Callable[[httpx.Request], httpx.Response]) -> ShopifyClient:
    http = httpx.Client(transport=httpx.MockTransport(shop))
    return ShopifyClient("aurora", "aurora.myshopify.com", RotatingCredentials(), http, lambda: NOW)


def fetched(*objects: Json) -> Order:
    delivery = client(FakeShop(*objects)).fetch_order("5001")
    assert delivery is not None
    reading = read_order(delivery)
    assert isinstance(reading, CompleteOrder)
    return reading.order


def test_the_client_is_a_storefront_client_that_asks_the_pinned_version_with_its_token() -> None:
    shop = FakeShop(order())
    asking: StorefrontClient = client(shop)
    delivery = asking.fetch_order("5001")
    assert delivery is not None
    assert (delivery.topic, delivery.fetched, delivery.received_at) == ("orders/updated", True, as_sortable(NOW))
    (request,) = shop.requests
    assert str(request.url) == "https://aurora.myshopify.com/admin/api/2026-10/graphql.json"
    assert request.headers["x-shopify-access-token"] == "stale"


def test_the_account_is_as_old_as_the_question_not_as_the_answer() -> None:
    shop = FakeShop(order())
    asked_before: list[int] = []

    def clock() -> datetime:
        asked_before.append(len(shop.requests))
        return NOW

    http = httpx.Client(transport=httpx.MockTransport(shop))
    ShopifyClient("aurora", "aurora.myshopify.com", RotatingCredentials(), http, clock).fetch_order("5001")
    assert asked_before == [0]


def test_the_same_order_gives_the_same_bytes() -> None:
    first, second = (
        client(FakeShop(found)).fetch_order("5001") for found in (order(), dict(reversed(order().items())))
    )
    assert first is not None
    assert first == second


def test_an_order_that_is_not_there_is_none() -> None:
    assert client(FakeShop()).fetch_order("5001") is None


def test_a_fetched_order_is_read_as_a_webhook_would_be() -> None:
    found = order(
        lineItems=[
            line(
                1,
                quantity=2,
                originalUnitPriceSet=bag("10.00", "10.61"),
                discountAllocations=[{"allocatedAmountSet": bag("2.00", "2.12"), "discountApplication": {"index": 0}}],
                taxLines=[tax("1.00")],
                duties=[
                    {
                        "id": "gid://shopify/Duty/3",
                        "harmonizedSystemCode": "6911",
                        "countryCodeOfOrigin": "CN",
                        "price": bag("0.50"),
                        "taxLines": [],
                    }
                ],
                customAttributes=[{"key": "Engraving", "value": "For Ada"}],
            ),
            line(2, variant=None, product=None, sku=None, originalUnitPriceSet=bag("0.00")),
        ],
        shippingLines=[
            {
                "id": "gid://shopify/ShippingLine/30",
                "title": "Standard",
                "code": "std",
                "carrierIdentifier": None,
                "originalPriceSet": bag("5.00", "5.30"),
                "discountedPriceSet": bag("4.00", "4.24"),
                "discountAllocations": [],
                "taxLines": [],
                "isRemoved": False,
            }
        ],
        discountApplications=[
            {
                "__typename": "DiscountCodeApplication",
                "code": "TEN",
                "targetType": "LINE_ITEM",
                "targetSelection": "ALL",
                "allocationMethod": "ACROSS",
                "value": {"__typename": "PricingPercentageValue", "percentage": 10.0},
            }
        ],
        discountCodes=["TEN"],
        taxLines=[tax("1.00")],
        additionalFees=[{"id": "gid://shopify/AdditionalFee/4", "name": "Wrap", "price": bag("0.20"), "taxLines": []}],
        originalTotalAdditionalFeesSet=bag("0.20"),
        originalTotalDutiesSet=bag("0.50"),
        subtotalPriceSet=bag("18.00", "19.10"),
        totalTaxSet=bag("1.00"),
        totalTipReceivedSet=bag("3.00", "3.20"),
        totalPriceSet=bag("26.70", "28.24"),
        transactions=[
            payment(901, bag("5.00", "5.30"), gateway="gift_card", accountNumber="•••• x7k2"),
            payment(902, bag("21.70", "22.94"), parentTransaction={"id": "gid://shopify/OrderTransaction/900"}),
        ],
        paymentGatewayNames=["gift_card", "shopify_payments"],
        customer={
            "id": "gid://shopify/Customer/207",
            "firstName": "Zoë",
            "lastName": "Ünal",
            "defaultEmailAddress": {"emailAddress": "zoe@example.test"},
            "defaultPhoneNumber": None,
        },
    )
    read = fetched(found)
    assert (read.order_id, read.payment, read.vendor_fulfilment_status) == ("5001", PaymentState.PAID, None)
    assert (read.risk_level, read.unknown_statuses) == ("medium", ())
    assert prove_totals(read).proven
    assert read.totals.tips == Amount(shop=Money.parse("3.00", "CHF"), presentment=Money.parse("3.20", "EUR"))
    mug, custom = read.lines
    assert (mug.id, mug.product_id, mug.variant_id, mug.stock_tracked) == ("1", "7", "8", True)
    assert (custom.product_id, custom.variant_id, custom.stock_tracked) == (None, None, None)
    assert mug.discounts[0].application == 0
    assert (mug.taxes[0].rate, mug.duties[0].harmonised_code) == ("0.19", "6911")
    (discount,) = read.discount_applications
    assert (discount.kind, discount.code, discount.value_type) == ("discount_code", "TEN", "percentage")
    assert (discount.target, discount.selection) == ("line_item", "all")
    assert read.tenders == (
        Tender(
            kind="gift_card",
            id="901",
            amount=Amount(shop=Money.parse("5.00", "CHF"), presentment=Money.parse("5.30", "EUR")),
            last_characters="x7k2",
        ),
    )
    assert (read.transactions[1].kind, read.transactions[1].parent_id) == ("sale", "900")
    assert read.transactions[1].amount == Money.parse("22.94", "EUR")
    assert (read.personal.customer_id, read.personal.email) == ("207", "zoe@example.test")
    assert read.personal.line_properties == {"1": {"Engraving": "For Ada"}}


def refund(number: int, **overrides: Any) -> Json:
    return {
        "id": f"gid://shopify/Refund/{number}",
        "order": {"updatedAt": UPDATED},
        "createdAt": UPDATED,
        "note": "Broken",
        "duties": [{"originalDuty": {"id": "gid://shopify/Duty/3"}, "amountSet": bag("0.50")}],
        "refundLineItems": [],
        "orderAdjustments": [],
        "refundShippingLines": [],
        "transactions": [],
    } | overrides


def test_refunds_and_shipments_are_fetched_with_the_order() -> None:
    given_back = refund(
        401,
        refundLineItems=[
            {
                "lineItem": {"id": "gid://shopify/LineItem/1"},
                "quantity": 1,
                "restockType": "CANCEL",
                "location": {"id": "gid://shopify/Location/61"},
                "subtotalSet": bag("1.00", "1.10"),
                "totalTaxSet": bag("0.00"),
            }
        ],
        orderAdjustments=[{"reason": "REFUND_DISCREPANCY", "amountSet": bag("-0.10"), "taxAmountSet": bag("0.00")}],
        refundShippingLines=[{"subtotalAmountSet": bag("4.00", "4.24"), "taxAmountSet": bag("0.00")}],
        transactions=[payment(911, bag("5.00", "5.34"), kind="REFUND")],
    )
    shipment = {
        "id": "gid://shopify/Fulfillment/501",
        "order": {"updatedAt": UPDATED},
        "status": "SUCCESS",
        "displayStatus": "IN_TRANSIT",
        "createdAt": UPDATED,
        "location": None,
        "trackingInfo": [
            {"company": "DHL", "number": "T1", "url": "https://track.example/T1"},
            {"company": "UPS", "number": "T2", "url": None},
        ],
        "fulfillmentLineItems": [{"quantity": 1, "lineItem": {"id": "gid://shopify/LineItem/1"}}],
    }
    read = fetched(
        order(refunds=[{"id": given_back["id"]}], fulfillments=[{"id": shipment["id"]}]), given_back, shipment
    )
    (read_refund,) = read.refunds
    assert read_refund.amount == Amount(shop=Money.parse("5.00", "CHF"), presentment=Money.parse("5.34", "EUR"))
    (back,) = read_refund.lines
    assert (back.line_id, back.restock, back.location_id) == ("1", RestockKind.CANCELLED_BEFORE_SHIPPING, "61")
    assert [(item.kind, str(item.amount.shop)) for item in read_refund.adjustments] == [
        ("refund_discrepancy", "-0.10 CHF"),
        ("shipping_refund", "-4.00 CHF"),
    ]
    assert read_refund.duties[0].id == "3"
    assert read.personal.refund_notes == {"401": "Broken"}
    (fulfilment,) = read.fulfilments
    assert (fulfilment.status, fulfilment.shipment_status) == ("success", "in_transit")
    assert (fulfilment.lines[0].line_id, fulfilment.lines[0].quantity) == ("1", 1)
    assert [(parcel.carrier, parcel.number) for parcel in fulfilment.parcels] == [("DHL", "T1"), ("UPS", "T2")]


def test_an_order_of_more_than_a_page_is_fetched_to_its_end() -> None:
    returned = [
        {
            "lineItem": {"id": f"gid://shopify/LineItem/{number}"},
            "quantity": 1,
            "restockType": "RETURN",
            "location": None,
            "subtotalSet": bag("1.00", "1.10"),
            "totalTaxSet": bag("0.00"),
        }
        for number in range(1, 91)
    ]
    shop = FakeShop(
        order(
            lineItems=[line(number) for number in range(1, 301)],
            subtotalPriceSet=bag("300.00", "330.00"),
            totalPriceSet=bag("300.00", "330.00"),
            refunds=[{"id": "gid://shopify/Refund/401"}],
        ),
        refund(401, refundLineItems=returned),
    )
    delivery = client(shop).fetch_order("5001")
    assert delivery is not None
    reading = read_order(delivery)
    assert isinstance(reading, CompleteOrder)
    assert [item.id for item in reading.order.lines] == [str(number) for number in range(1, 301)]
    assert [item.line_id for item in reading.order.refunds[0].lines] == [str(number) for number in range(1, 91)]
    assert prove_totals(reading.order).proven
    assert len(shop.requests) == 15 + 3


def changing(shop: FakeShop, gid: str, change: Callable[[Json], object]) -> Callable[[int], None]:
    """Change an object between the first answer and the second."""

    def before(number: int) -> None:
        if number == 2:
            change(shop.objects[gid])

    return before


def test_an_order_that_changes_between_two_pages_is_asked_for_again_later() -> None:
    shop = FakeShop(order(lineItems=[line(number) for number in range(1, 30)]))
    shop.before_answer = changing(shop, ORDER_GID, lambda found: found.update(updatedAt="2026-11-23T09:02:10Z"))
    with pytest.raises(Retry, match="order_changed"):
        client(shop).fetch_order("5001")


def test_a_refund_of_a_later_state_or_gone_is_not_mixed_in() -> None:
    later = refund(401, order={"updatedAt": "2026-11-23T09:02:10Z"})
    for others in ((later,), ()):
        shop = FakeShop(order(refunds=[{"id": later["id"]}]), *others)
        with pytest.raises(Retry, match="order_changed"):
            client(shop).fetch_order("5001")


def test_an_order_deleted_between_two_pages_is_asked_for_again_later() -> None:
    shop = FakeShop(order(lineItems=[line(number) for number in range(1, 30)]))
    shop.before_answer = lambda number: None if number == 1 else httpx.Response(200, json={"data": {"found": None}})
    with pytest.raises(Retry, match="order_changed"):
        client(shop).fetch_order("5001")


def test_refused_credentials_are_read_afresh_once() -> None:
    shop = FakeShop(order())
    shop.before_answer = lambda number: httpx.Response(401) if number == 1 else None
    assert client(shop).fetch_order("5001") is not None
    assert [request.headers["x-shopify-access-token"] for request in shop.requests] == ["stale", "fresh"]


def error(code: str | None, message: str = "zoe@example.test") -> Json:
    return {"message": message, "extensions": {} if code is None else {"code": code}}


@pytest.mark.parametrize(
    ("status", "answer", "family", "code"),
    [
        (200, {"data": None, "errors": [error("THROTTLED")]}, Retry, "storefront_throttled"),
        (429, {"errors": [error("THROTTLED")]}, Retry, "storefront_throttled"),
        (200, {"data": {"found": None}, "errors": [error("ACCESS_DENIED")]}, Rejected, "api_access"),
        (403, {"errors": "forbidden"}, Rejected, "api_access"),
        (401, {"errors": "invalid"}, Rejected, "api_access"),
        (200, {"data": {"found": {}}, "errors": [error("undefinedField")]}, Rejected, "api_error"),
        (200, {"errors": [error(None)]}, Rejected, "api_error"),
        (200, {"errors": "zoe@example.test"}, Rejected, "api_error"),
        (200, {"errors": ["zoe@example.test"]}, Rejected, "api_error"),
        (200, {"errors": [error("INTERNAL_SERVER_ERROR")]}, Retry, "storefront_failed"),
        (200, {"data": {}}, Retry, "storefront_failed"),
        (200, {"data": None}, Retry, "storefront_failed"),
        (200, [], Retry, "storefront_failed"),
        (502, {}, Retry, "storefront_failed"),
        (404, {"errors": "Not Found"}, Rejected, "api_error"),
        (302, {}, Rejected, "api_error"),
        (402, {"errors": "Unavailable Shop"}, Rejected, "api_error"),
    ],
)
def test_what_a_shops_failure_means(status: int, answer: Any, family: type[Retry] | type[Rejected], code: str) -> None:
    with pytest.raises(family) as caught:
        client(lambda _request: httpx.Response(status, json=answer)).fetch_order("5001")
    assert caught.value.code == code
    assert "zoe@" not in str(caught.value)


def test_an_answer_that_is_no_json_may_be_better_later() -> None:
    with pytest.raises(Retry, match="storefront_failed"):
        client(lambda _request: httpx.Response(200, content=b"<html>")).fetch_order("5001")


def test_a_shop_out_of_reach_may_be_back_later() -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("no", request=request)

    with pytest.raises(Retry, match="storefront_unreachable"):
        client(unreachable).fetch_order("5001")
