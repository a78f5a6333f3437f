"""How a Shopify shop that is not there keeps its Shopify Payments: movements of the balance, payouts, and their lists.

A payout takes every movement that has none, and is itself a movement. Lists are filtered by time and by payout, and by
nothing else. How the search reads its filters is as callers of live shops use them; that payouts are movements of the
type `TRANSFER` is what those callers skip.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from infra.samples.shopify import gid
from shared.kernel.clock import Clock

Json = dict[str, Any]

_TERM: Final = re.compile(r"(processed_at|issued_at):(>=|<=)'([^']+)'|payments_transfer_id:([0-9]+)")


@dataclass
class Payments:
    """`numbers` are the shop's, for whatever it creates."""

    clock: Clock
    numbers: Iterator[int]
    currency: str = "EUR"
    active: bool = False
    """Whether the shop has Shopify Payments at all; having a movement, it has."""
    movements: list[Json] = field(default_factory=list)
    payouts: list[Json] = field(default_factory=list)
    transactions: dict[str, Json] = field(default_factory=dict)
    """Of orders, by global id."""

    def roots(self) -> Mapping[str, Callable[..., Any]]:
        return {"shopifyPaymentsAccount": lambda _info: self._account() if self.active else None}

    def move(  # noqa: PLR0913 - named, as Shopify names them
        self,
        word: str,
        gross: str,
        net: str | None = None,
        *,
        at: datetime | None = None,
        order: tuple[str, str] | None = None,
        source: str | None = None,
        parent: Json | None = None,
        currency: str | None = None,
        test: bool = False,
    ) -> Json:
        """Change the balance; `gross` and `net` in major units. `order`: its number and name. A movement of an order
        has a transaction there, whose parent is that of the movement `parent`."""
        self.active = True
        number = next(self.numbers)
        earned = net if net is not None else gross
        code = currency or self.currency
        transaction = self._transaction(parent) if order else None
        movement: Json = {
            "__typename": "ShopifyPaymentsBalanceTransaction",
            "id": gid("ShopifyPaymentsBalanceTransaction", number),
            "type": word,
            "sourceType": source,
            "sourceId": number + 1_000_000,
            "sourceOrderTransactionId": transaction,
            "transactionDate": (at or self.clock()).isoformat(),
            "test": test,
            "amount": self._money(gross, code),
            "net": self._money(earned, code),
            "fee": self._money(str(Decimal(gross) - Decimal(earned)), code),
            "associatedOrder": {"id": gid("Order", order[0]), "name": order[1]} if order else None,
            "associatedPayout": {"id": None, "status": "PENDING"},
            "adjustmentsOrders": [],
        }
        self.movements.append(movement)
        return movement

    def _transaction(self, parent: Json | None) -> int:
        number = next(self.numbers)
        kept = self.transactions.get(gid("OrderTransaction", parent["sourceOrderTransactionId"])) if parent else None
        one = gid("OrderTransaction", number)
        self.transactions[one] = {"__typename": "OrderTransaction", "id": one, "parent_transaction": kept}
        return number

    def pay_out(self, status: str = "SCHEDULED", trace: str | None = None) -> Json:
        """Send what has come together in the shop's own currency to the bank."""
        number = next(self.numbers)
        mine = [each for each in self.movements if each["net"]["currencyCode"] == self.currency]
        taken = [each for each in mine if each["associatedPayout"]["id"] is None]
        total = sum((Decimal(each["net"]["amount"]) for each in taken), Decimal(0))
        payout = {
            "__typename": "ShopifyPaymentsPayout",
            "id": gid("ShopifyPaymentsPayout", number),
            "legacyResourceId": str(number),
            "issuedAt": self.clock().isoformat(),
            "status": status,
            "transactionType": "DEPOSIT" if total >= 0 else "WITHDRAWAL",
            "externalTraceId": trace,
            "net": self._money(str(total), self.currency),
        }
        self.payouts.append(payout)
        for each in [*taken, self.move("TRANSFER", str(-total), source="TRANSFER")]:
            each["associatedPayout"] = {"id": payout["id"], "status": status}
        return payout

    @property
    def held(self) -> Mapping[str, Decimal]:
        """By currency, in major units."""
        sums: dict[str, Decimal] = {}
        for each in self.movements:
            code = each["net"]["currencyCode"]
            sums[code] = sums.get(code, Decimal(0)) + Decimal(each["net"]["amount"])
        return sums

    def _account(self) -> Json:
        return {
            "__typename": "ShopifyPaymentsAccount",
            "balance": [self._money(str(amount), code) for code, amount in self.held.items()],
            "balanceTransactions": lambda **arguments: _found(self.movements, "transactionDate", arguments),
            "payouts": lambda **arguments: _found(self.payouts, "issuedAt", arguments),
        }

    def _money(self, amount: str, currency: str) -> Json:
        return {"__typename": "MoneyV2", "amount": amount, "currencyCode": currency}


def _found(items: list[Json], moment: str, arguments: Mapping[str, Any]) -> list[Json]:
    """Those that a search finds, the oldest first.

    Raises:
        ValueError: for any other search than those that Storebridge puts.
    """
    search = arguments.get("query") or ""
    terms = [_TERM.fullmatch(term) for term in search.split(" AND ")]
    if not all(terms) or arguments.get("sortKey") not in {"PROCESSED_AT", "ISSUED_AT"}:
        raise ValueError("the fake shop lists payments by time or by payout only")
    tests = [_test(found, moment) for found in terms if found]
    return sorted((item for item in items if all(test(item) for test in tests)), key=lambda item: _second(item[moment]))


def _test(found: re.Match[str], moment: str) -> Callable[[Json], bool]:
    if found[4]:
        wanted = gid("ShopifyPaymentsPayout", found[4])
        return lambda item: bool(item["associatedPayout"]["id"] == wanted)
    edge = _second(found[3])
    if found[2] == ">=":
        return lambda item: _second(item[moment]) >= edge
    return lambda item: _second(item[moment]) <= edge


def _second(moment: str) -> datetime:
    """To the second: Shopify's search knows no less."""
    return datetime.fromisoformat(moment).replace(microsecond=0)
