"""Which payment accounts a storefront's payment method is looked for at."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import NamedTuple

from shared.finance.rules import AccountRules, FinanceRules

_OWN_TENDERS = frozenset({"gift_card", "store_credit"})
"""What the storefront itself is owed or owes: no provider ever tells of them, whatever the settings say."""


class Standing(Enum):
    EXPECTED = auto()
    """Some feed has to tell of it."""
    OUTSIDE = auto()
    """No feed tells of it."""
    UNKNOWN = auto()
    """Neither: the settings do not know this method."""


class Route(NamedTuple):
    standing: Standing
    accounts: tuple[str, ...] = ()
    """Sorted; more than one where several accounts take this method for the shop."""


class Gateways:
    """Looks up routes; names of methods are compared in any case."""

    def __init__(self, rules: FinanceRules, accounts: Mapping[str, AccountRules]) -> None:
        self._outside = _OWN_TENDERS | {name.casefold() for name in rules.outside_gateways}
        self._accounts = sorted(accounts.items())
        self._known: dict[tuple[str, str], Route] = {}

    def route(self, shop: str, gateway: str) -> Route:
        route = self._known.get((shop, gateway))
        if route is None:
            route = self._known[shop, gateway] = self._find(shop, gateway.casefold())
        return route

    def _find(self, shop: str, gateway: str) -> Route:
        takers = tuple(
            name
            for name, account in self._accounts
            if (not account.shops or shop in account.shops) and gateway in {one.casefold() for one in account.gateways}
        )
        if takers:
            return Route(Standing.EXPECTED, takers)
        return Route(Standing.OUTSIDE if gateway in self._outside else Standing.UNKNOWN)
