"""By which words a provider's line names an order. Exact, or nothing."""

from collections.abc import Iterable, Mapping

from shared.finance.models import OrderStatement
from shared.finance.rules import AccountRules

_WHOLE_ORDER = "all"
"""What a movement is called where the storefront only tells that the order is paid: names nothing."""
_LONG = 8
"""Digits from which on the length of a number belongs to its shape: order numbers grow, ids of one system do not."""
_PREFIX = 6
"""Within so many characters a separator ends the prefix of an id: `ch_`, `order-`, `#`."""


class ReferenceIndex:
    """Finds orders by their references and those of their movements, within the shops of an account.

    A reference that two orders share names neither by itself; of two shops' orders, the money may tell
    (:meth:`sharing`). Where nothing is found, a leading `#` is looked over: shops write
    `#1001`, and plugins hand on `1001`.
    """

    def __init__(self, orders: Iterable[OrderStatement], accounts: Mapping[str, AccountRules]) -> None:
        self._by_shop: dict[str, dict[str, str | None]] = {}
        for order in orders:
            if not order.test:
                self._add(order)
        self._shops = {name: account.shops for name, account in accounts.items()}

    def _add(self, order: OrderStatement) -> None:
        names = self._by_shop.setdefault(order.shop, {})
        key = str(order.key)
        for reference in own_references(order):
            if names.setdefault(reference, key) != key:
                names[reference] = None

    def find(self, account: str, references: Iterable[str]) -> str | None:
        """The key of the one order that these name; None where they name none, or two different ones."""
        found = {key for reference in references if (key := self._named(account, reference.strip())) is not None}
        return found.pop() if len(found) == 1 else None

    def sharing(self, account: str, references: Iterable[str]) -> list[str]:
        """The keys of the orders of several shops that all of these name: shops that number alike and share an
        account. Words that name nothing are looked over; where two words name different orders, there are none."""
        named = [keys for reference in references if (keys := self._keys(account, reference.strip()))]
        return sorted(key for key in set.intersection(*named) if key is not None) if named else []

    def _named(self, account: str, reference: str) -> str | None:
        keys = self._keys(account, reference)
        return next(iter(keys)) if len(keys) == 1 else None

    def _keys(self, account: str, reference: str) -> set[str | None]:
        spellings = (reference, reference[1:] if reference.startswith("#") else f"#{reference}")
        for spelling in spellings if len(reference) > 1 else spellings[:1]:
            hits = self._hits(account, spelling)
            if hits:
                return hits
        return set()

    def _hits(self, account: str, reference: str) -> set[str | None]:
        shops = self._shops.get(account) or self._by_shop
        return {names[reference] for shop in shops if reference in (names := self._by_shop.get(shop, {}))}


def own_references(order: OrderStatement) -> set[str]:
    """Every word that names the order or one of its movements."""
    names = set(order.references)
    for movement in order.movements:
        names.update(movement.references)
        names.add(movement.id)
    names -= {_WHOLE_ORDER, ""}
    return names


def shape(reference: str) -> str:
    """What kind of id it looks like, so that only ids of one kind are held against each other: `ch_`, `#`, `digits`."""
    for position, letter in enumerate(reference[:_PREFIX]):
        if not letter.isalnum():
            return reference[: position + 1].casefold()
    if reference.isdigit():
        return f"digits{len(reference)}" if len(reference) >= _LONG else "digits"
    letters = reference.rstrip("0123456789")
    return letters.casefold() if letters.isalpha() else f"word{len(reference)}"


def contradict(ours: Iterable[str], theirs: Iterable[str]) -> bool:
    """Whether two sides, of which no word is the same, name ids of one kind: then they mean different things."""
    return not {shape(one) for one in ours}.isdisjoint(shape(one) for one in theirs)
