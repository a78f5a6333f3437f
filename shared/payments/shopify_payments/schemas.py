"""What the Admin API answers about Shopify Payments, as far as finance needs it."""

from typing import Annotated

from pydantic import Field

from shared.payments.lenient import NULL_IS_EMPTY, Lenient, OptionalText


class MoneyNode(Lenient):
    amount: str
    """Major units."""
    currency: Annotated[str, Field(alias="currencyCode")]


class _AmountNode(Lenient):
    amount: str


class _NamedNode(Lenient):
    id: OptionalText = None
    name: OptionalText = None


class MovementNode(Lenient):
    """A `ShopifyPaymentsBalanceTransaction`."""

    type: str
    source_type: Annotated[OptionalText, Field(alias="sourceType")] = None
    source_id: Annotated[OptionalText, Field(alias="sourceId")] = None
    order_transaction_id: Annotated[OptionalText, Field(alias="sourceOrderTransactionId")] = None
    at: Annotated[str, Field(alias="transactionDate")]
    test: bool = False
    gross: Annotated[MoneyNode, Field(alias="amount")]
    net: _AmountNode
    order: Annotated[_NamedNode | None, Field(alias="associatedOrder")] = None
    payout: Annotated[_NamedNode | None, Field(alias="associatedPayout")] = None
    other_orders: Annotated[tuple[_NamedNode, ...], NULL_IS_EMPTY, Field(alias="adjustmentsOrders")] = ()


class _ParentNode(Lenient):
    id: OptionalText = None


class TransactionNode(Lenient):
    """An `OrderTransaction`."""

    id: OptionalText = None
    parent: Annotated[_ParentNode | None, Field(alias="parentTransaction")] = None


class Transactions(Lenient):
    found: tuple[TransactionNode | None, ...]


class MovementEdge(Lenient):
    cursor: str
    node: MovementNode


class PageInfo(Lenient):
    has_next: Annotated[bool, Field(alias="hasNextPage")]
    end: Annotated[OptionalText, Field(alias="endCursor")] = None


class MovementPage(Lenient):
    edges: Annotated[tuple[MovementEdge, ...], NULL_IS_EMPTY] = ()
    page: Annotated[PageInfo, Field(alias="pageInfo")]


class PayoutNode(Lenient):
    """A `ShopifyPaymentsPayout`."""

    id: Annotated[str, Field(alias="legacyResourceId")]
    issued_at: Annotated[str, Field(alias="issuedAt")]
    status: str
    direction: Annotated[str, Field(alias="transactionType")] = "DEPOSIT"
    trace: Annotated[OptionalText, Field(alias="externalTraceId")] = None
    net: MoneyNode


class PayoutPage(Lenient):
    nodes: Annotated[tuple[PayoutNode, ...], NULL_IS_EMPTY] = ()
    page: Annotated[PageInfo, Field(alias="pageInfo")]


class Movements(Lenient):
    movements: MovementPage


class Payouts(Lenient):
    payouts: PayoutPage


class Balance(Lenient):
    balance: tuple[MoneyNode, ...]
