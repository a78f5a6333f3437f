"""One shop's Shopify Payments, through its Admin API: a `PaymentFeed`.

Movements get their payout when it is made, and payouts change their state for days. So a window is read in three
parts: the movements of its time; the payouts issued in it and two weeks before; and the movements of those payouts that
were made since the window before, which name it now.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import StringConstraints, ValidationError

from shared.finance.models import Payment, SettlementLine
from shared.kernel import strict_json
from shared.kernel.answers import misfits_are
from shared.kernel.clock import Clock, parse_time
from shared.kernel.errors import Rejected, Retry
from shared.kernel.model import Canonical
from shared.payments.http import refused, refused_access
from shared.payments.lenient import Lenient, read
from shared.payments.port import AccountContext, FeedCapabilities, FeedPage
from shared.payments.shopify_payments import queries
from shared.payments.shopify_payments.identity import second_of
from shared.payments.shopify_payments.mapping import balance_of, lines_of, number_in, payout_of, refund_transactions
from shared.payments.shopify_payments.schemas import (
    Balance,
    MovementEdge,
    MovementPage,
    Movements,
    Payouts,
    Transactions,
)

Query = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Put a document with its variables to the shop's Admin API, and return the answer's data: as `AdminApi.ask`, with its
errors (`Retry`; `Rejected` `api_access`, `api_error`)."""

STATES_CHANGE: Final = timedelta(days=14)
"""How long a payout may take until its bank took or refused it."""
ASSIGNED_LATE: Final = timedelta(days=1)
"""By how much the list of payouts may lag behind."""
_PROVIDER: Final = "Shopify"
_Model = TypeVar("_Model", bound=Lenient)
_Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]


class _Place(Canonical):
    """Where a page starts."""

    part: Literal["movements", "payouts", "of_payout"] = "movements"
    after: str | None = None
    payouts: tuple[_Number, ...] = ()
    """Whose movements are still to be read."""


@misfits_are(refused)
class ShopifyPaymentsClient:
    def __init__(self, context: AccountContext, query: Query, clock: Clock) -> None:
        self._context = context
        self._query = query
        self._clock = clock

    @property
    def capabilities(self) -> FeedCapabilities:
        return FeedCapabilities(
            vendor="shopify_payments",
            looks_up=False,
            lag_hours=1,  # general knowledge, not checked: movements show within minutes of their charge
            tried="a fake shop that runs every query on the published Admin schema 2026-10",
        )

    def settled(self, since: datetime, until: datetime, cursor: str | None) -> FeedPage:
        """As the port has it. Both ends are taken by the second, for Shopify's search knows no less."""
        place = _place_of(cursor)
        if place.part == "movements":
            return self._movements(place, second_of(since), second_of(until))
        if place.part == "payouts":
            return self._payouts(place, second_of(since), second_of(until))
        return self._of_payout(place)

    def balances(self) -> FeedPage:
        """Everything that is not paid out, by currency [general knowledge: pending and reserved funds included]."""
        as_of = self._clock()
        found = self._ask(queries.BALANCE, {}, Balance)
        return FeedPage(tuple(balance_of(node, self._context, as_of) for node in found.balance), None)

    def payment(self, payment_id: str) -> Payment | None:  # noqa: ARG002 - the port's; there is nothing to ask
        """Always None: a charge is told by its order, and by the movement that it causes."""
        return None

    def _movements(self, place: _Place, since: datetime, until: datetime) -> FeedPage:
        search = f"processed_at:>='{_searched(since)}' AND processed_at:<='{_searched(until)}'"
        page = self._ask(queries.MOVEMENTS, {"query": search, "after": place.after}, Movements).movements
        edges, after = _whole_seconds(page)
        lines = self._lines(edges)
        following = _Place(part="movements", after=after) if after else _Place(part="payouts")
        return FeedPage(tuple(line for line in lines if since <= line.occurred_at < until), _cursor_of(following))

    def _payouts(self, place: _Place, since: datetime, until: datetime) -> FeedPage:
        search = f"issued_at:>='{_searched(since - STATES_CHANGE)}' AND issued_at:<='{_searched(until)}'"
        stated_at = self._clock()
        page = self._ask(queries.PAYOUTS, {"query": search, "after": place.after}, Payouts).payouts
        found = tuple(payout_of(node, self._context, stated_at) for node in page.nodes)
        fresh = (node.id for node in page.nodes if parse_time(node.issued_at) >= since - ASSIGNED_LATE)
        waiting = tuple(dict.fromkeys((*place.payouts, *fresh)))
        if page.page.has_next and page.page.end:
            return FeedPage(found, _cursor_of(_Place(part="payouts", after=page.page.end, payouts=waiting)))
        return FeedPage(found, _cursor_of(_Place(part="of_payout", payouts=waiting)) if waiting else None)

    def _of_payout(self, place: _Place) -> FeedPage:
        if not place.payouts:
            raise _strange_cursor()
        payout, *others = place.payouts
        search = f"payments_transfer_id:{payout}"
        page = self._ask(queries.MOVEMENTS, {"query": search, "after": place.after}, Movements).movements
        edges, after = _whole_seconds(page)
        lines = self._lines(edges)
        if after:
            return FeedPage(lines, _cursor_of(place.model_copy(update={"after": after})))
        return FeedPage(lines, _cursor_of(_Place(part="of_payout", payouts=tuple(others))) if others else None)

    def _lines(self, edges: Sequence[MovementEdge]) -> tuple[SettlementLine, ...]:
        nodes = [edge.node for edge in edges]
        return lines_of(nodes, self._parents(refund_transactions(nodes)), self._context)

    def _parents(self, transactions: Sequence[str]) -> Mapping[str, str]:
        """By a transaction's number, that of its parent."""
        if not transactions:
            return {}
        ids = [f"gid://shopify/OrderTransaction/{number}" for number in transactions]
        found = read(Transactions, self._data(queries.PARENTS, {"ids": ids}), _PROVIDER).found
        pairs = ((number_in(node.id), number_in(node.parent.id)) for node in found if node and node.parent)
        return {number: parent for number, parent in pairs if number and parent}

    def _ask(self, document: str, variables: Mapping[str, Any], model: type[_Model]) -> _Model:
        data = self._data(document, variables)
        if "account" not in data:
            raise Retry("payments_failed", "the shop's answer holds no data")
        if data["account"] is None:
            raise refused("the shop has no Shopify Payments", hint="set the account's `shop`, or leave the account out")
        return read(model, data["account"], _PROVIDER)

    def _data(self, document: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return self._query(document, variables)
        except Rejected as error:
            if error.code == "api_access":
                raise refused_access(
                    f"{error.message}; Shopify Payments need read_shopify_payments_accounts and _payouts"
                ) from error
            raise refused(error.message) from error


def _whole_seconds(page: MovementPage) -> tuple[Sequence[MovementEdge], str | None]:
    """The movements of a page whose second is told whole, and the cursor after them; None: it is the last page.

    A second that a page may cut is left to the next page, unless it fills this one.
    """
    edges = page.edges
    if not page.page.has_next or not edges:
        return edges, None
    last = second_of(parse_time(edges[-1].node.at))
    whole = [edge for edge in edges if second_of(parse_time(edge.node.at)) != last]
    return (whole, whole[-1].cursor) if whole else (edges, edges[-1].cursor)


def _place_of(cursor: str | None) -> _Place:
    if cursor is None:
        return _Place()
    try:
        return _Place.model_validate(strict_json.parse(cursor.encode("utf-8")), strict=False)
    except (ValidationError, Rejected) as error:
        raise _strange_cursor() from error


def _strange_cursor() -> Rejected:
    return refused("the cursor is not one of this feed")


def _cursor_of(place: _Place) -> str:
    return json.dumps(place.model_dump(mode="json", exclude_defaults=True), separators=(",", ":"))


def _searched(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
