"""By which words a provider's line names an order. Exact, or nothing."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

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

    A reference that several orders share names none by itself; the money may tell which is meant (:meth:`sharing`).
    Where nothing is found, a leading `#` is looked over: shops write `#1001`, and plugins hand on `1001`.

    A short number names nobody by itself either, where it is contested: where shops of the account number alike, or
    one shop's ids are its other orders' names. Else the payment of an order that has not come would be that of another
    shop's order of its number.
    """

    def __init__(self, orders: Iterable[OrderStatement], accounts: Mapping[str, AccountRules]) -> None:
        self._by_shop: dict[str, dict[str, tuple[str, ...]]] = {}
        for order in orders:
            if not order.test:
                self._add(order)
        self._shops = {name: account.shops for name, account in accounts.items()}
        self._everywhere = tuple(self._by_shop.values())
        self._names = {
            name: tuple(self._by_shop[shop] for shop in account.shops if shop in self._by_shop)
            if account.shops
            else self._everywhere
            for name, account in accounts.items()
        }
        self._numbers = {shop: _numbers_of(names) for shop, names in self._by_shop.items()}
        self._contested = {name: tuple(self._contested_at(name)) for name in accounts}

    def _add(self, order: OrderStatement) -> None:
        names = self._by_shop.setdefault(order.shop, {})
        alone = (str(order.key),)
        for reference in own_references(order):
            if names.setdefault(reference, alone) is not alone:
                names[reference] += alone

    def find(self, account: str, references: Iterable[str]) -> str | None:
        """The key of the one order that these name; None where they name none, or two different ones."""
        found = {key for reference in references if (key := self._named(account, reference.strip())) is not None}
        return found.pop() if len(found) == 1 else None

    def sharing(self, account: str, references: Iterable[str]) -> list[str]:
        """The keys of all orders that each of these may name: several, where shops number alike and share an account.
        Words that name nothing are looked over; where two words name different orders, there are none."""
        named = [keys for reference in references if (keys := self._keys(account, reference.strip()))]
        return sorted(set.intersection(*named)) if named else []

    def _named(self, account: str, reference: str) -> str | None:
        keys = self._keys(account, reference)
        if len(keys) != 1 or self._is_contested(account, reference):
            return None
        return next(iter(keys))

    def _keys(self, account: str, reference: str) -> set[str]:
        spellings = (reference, reference[1:] if reference.startswith("#") else f"#{reference}")
        for spelling in spellings if len(reference) > 1 else spellings[:1]:
            hits = self._hits(account, spelling)
            if hits:
                return hits
        return set()

    def _hits(self, account: str, reference: str) -> set[str]:
        shops = self._names.get(account, self._everywhere)
        return {key for names in shops if reference in names for key in names[reference]}

    def _is_contested(self, account: str, reference: str) -> bool:
        ranges = self._contested.get(account, ())
        number = _number(reference) if ranges else None
        return number is not None and any(number in one for one in ranges)

    def _contested_at(self, account: str) -> Iterator[range]:
        """Numbers that orders of several shops may have, or two of one shop."""
        shops = sorted(shop for shop in self._shops[account] or self._by_shop if self._numbers.get(shop))
        for shop in shops:
            if any(len(keys) > 1 for keys in self._numbers[shop].values()):
                yield _range_of(self._numbers[shop])
        for one, other in combinations(shops, 2):
            ours, theirs = self._numbers[one], self._numbers[other]
            if not ours.keys().isdisjoint(theirs):
                first, second = _range_of(ours), _range_of(theirs)
                yield range(max(first.start, second.start), min(first.stop, second.stop))


def _numbers_of(names: Mapping[str, tuple[str, ...]]) -> dict[int, set[str]]:
    """Short numbers, and the orders that have each."""
    found: dict[int, set[str]] = {}
    for name, keys in names.items():
        number = _number(name)
        if number is not None:
            found.setdefault(number, set()).update(keys)
    return found


def _number(reference: str) -> int | None:
    digits = reference.removeprefix("#")
    return int(digits) if len(digits) < _LONG and digits.isdecimal() and digits.isascii() else None


def _range_of(numbers: Iterable[int]) -> range:
    known = sorted(numbers)
    return range(known[0], known[-1] + 1)


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
