"""What buyers put into their baskets, and when: price points, baskets of a lognormal size, the rhythm of a week.

Prices end as prices do (.99, .95, .00), and a few products sell far more often than the others: so amounts collide as
often as they do in the published orders of Olist (0.4 % of payments share their amount with another one within five
days at 10 payments a day, 12.5 % at 200, 71 % at 5,000).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate
from typing import Final

from infra.bench.month.merchant import Shop
from shared.finance.models import Document, SoldLine, TaxShare

_PRODUCTS: Final = 600
_HOURS: Final = (4, 2, 1, 1, 1, 2, 4, 8, 12, 15, 17, 18, 18, 17, 16, 16, 17, 19, 22, 26, 28, 25, 17, 9)
"""How much is bought in each hour of the day, in UTC."""
_WEEKDAYS: Final = (1.06, 1.02, 1.0, 1.03, 1.08, 0.86, 0.95)
_ENDINGS: Final = ((99, 0.45), (95, 0.2), (0, 0.15), (50, 0.12), (90, 0.08))


@dataclass(frozen=True, slots=True)
class _Scale:
    """How prices look in one currency."""

    worth: float
    """A euro's worth in minor units, roughly."""
    step: int
    ending: int
    """Taken off a full price: 980 in place of 1,000 yen."""
    shipping: tuple[int, ...]


_SCALES: Final = {
    "JPY": _Scale(160, 100, 20, (0, 550, 770)),
    "KWD": _Scale(330, 250, 0, (0, 1_000, 1_500)),
    "CNY": _Scale(780, 1_000, 100, (0, 1_200)),
}
_SHIPPING: Final = (0, 395, 495, 695, 1_250)


class Catalogue:
    """The products of one shop."""

    def __init__(self, shop: Shop, chance: random.Random) -> None:
        self._shop = shop
        self._chance = chance
        middle, spread = (5.2, 1.1) if shop.id == "hansa" else (3.2, 0.9)
        self._prices = [_price(shop.currency, chance.lognormvariate(middle, spread), chance) for _ in range(_PRODUCTS)]
        self._popularity = list(accumulate(1 / (rank + 8) ** 0.8 for rank in range(_PRODUCTS)))
        scale = _SCALES.get(shop.currency)
        self._shipping = scale.shipping if scale else _SHIPPING
        self._tax = Decimal(shop.tax_percent) / 100

    def basket(self, at: datetime) -> Document:
        """One sale, taxes and shipping included; it adds up."""
        count = min(8, max(1, round(self._chance.lognormvariate(0.1, 0.6))))
        products = self._chance.choices(range(_PRODUCTS), cum_weights=self._popularity, k=count)
        discount = self._chance.choice((5, 10, 15, 20)) if self._chance.random() < 0.12 else 0  # noqa: PLR2004
        priced = [self._line(number, product, discount) for number, product in enumerate(products, 1)]
        return self._document(at, priced, self._chance.choice(self._shipping))

    def part(self, sale: Document, amount: int, *, id: str, at: datetime) -> Document:  # noqa: A002 - as in `Document`
        """A refund of `amount`, tax included: of goods, as far as the sale has any."""
        tax = _round(amount * self._tax / (1 + self._tax))
        line = sale.lines[0].model_copy(update={"net": amount - tax})
        return Document(id=id, at=at, lines=(line,), taxes=self._taxes(tax), total=amount)

    def _line(self, number: int, product: int, discount: int) -> tuple[SoldLine, int]:
        """The line, and what the buyer sees as its price."""
        units = self._chance.choices((1, 2, 3), (0.86, 0.1, 0.04))[0]
        shown = _round(Decimal(self._prices[product] * units * (100 - discount)) / 100)
        net = _round(shown / (1 + self._tax)) if self._shop.tax_included else shown
        sku = f"{self._shop.id[:3].upper()}-{product:04}"
        return SoldLine(key=str(number), sku=sku, title=f"Product {product}", units=units, net=net), shown

    def _document(self, at: datetime, priced: list[tuple[SoldLine, int]], shipping_shown: int) -> Document:
        lines = tuple(line for line, _ in priced)
        net = sum(line.net for line in lines)
        if self._shop.tax_included:
            shipping = _round(shipping_shown / (1 + self._tax))
            total = sum(shown for _, shown in priced) + shipping_shown
        else:
            shipping = shipping_shown
            total = net + shipping + _round((net + shipping) * self._tax)
        taxes = self._taxes(total - net - shipping)
        return Document(id="sale", at=at, lines=lines, shipping=shipping, taxes=taxes, total=total)

    def _taxes(self, amount: int) -> tuple[TaxShare, ...]:
        if not amount:
            return ()
        return (TaxShare(country=self._shop.country, region=None, title="VAT", rate=str(self._tax), amount=amount),)


def moments(first: date, days: int, count: int, chance: random.Random) -> Iterator[datetime]:
    """So many moments from the first day on, in the order of time, as a shop's orders come: by hour and weekday."""
    weights = [
        hour * _WEEKDAYS[(first + timedelta(day)).weekday()] * chance.uniform(0.8, 1.25)
        for day in range(days)
        for hour in _HOURS
    ]
    start = datetime.combine(first, time(), UTC)
    hours = chance.choices(range(len(weights)), weights, k=count)
    yield from sorted(start + timedelta(hours=hour, seconds=chance.uniform(0, 3_599)) for hour in hours)


def _price(currency: str, euros: float, chance: random.Random) -> int:
    scale = _SCALES.get(currency)
    if scale:
        return max(1, round(euros * scale.worth / scale.step)) * scale.step - scale.ending
    ending = chance.choices([cents for cents, _ in _ENDINGS], [share for _, share in _ENDINGS])[0]
    return max(1, int(euros)) * 100 + ending


def _round(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))
