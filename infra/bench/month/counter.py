"""Where orders come in: one after the other, as each shop numbers them."""

import random
from datetime import datetime, timedelta
from typing import Final

from infra.bench.month.baskets import Catalogue
from infra.bench.month.merchant import ACCOUNTS, SHOPS, Shop, exchanged, rate
from infra.bench.month.till import Draft, Tie
from shared.finance.models import Document

_WITHOUT_REFERENCE: Final = 0.03
_FROM_ABROAD: Final = 0.12
_TIES: Final = ((Tie.BOTH, 0.34), (Tie.MOVEMENT, 0.2), (Tie.LINE, 0.2), (Tie.SHARED, 0.13), (Tie.FACT, 0.13))


class Counter:
    """Makes orders. Everything about them is drawn by chance, and again the same from the same seed."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self._catalogues = {shop.id: Catalogue(shop, chance) for shop in SHOPS}
        self._numbers = {shop.id: shop.first_number for shop in SHOPS}

    def catalogue(self, draft: Draft) -> Catalogue:
        return self._catalogues[draft.shop.id]

    def order(self, placed_at: datetime) -> Draft:
        shop = self.chance.choices(SHOPS, [shop.share for shop in SHOPS])[0]
        return self.order_at(shop, placed_at, self._catalogues[shop.id].basket(placed_at))

    def order_at(self, shop: Shop, placed_at: datetime, sale: Document) -> Draft:
        ways = shop.ways_to_pay
        account, gateway, _ = self.chance.choices(ways, [share for _, _, share in ways])[0]
        number = self._next_number(shop)
        own = shop.platform == "woocommerce"
        draft = Draft(
            shop=shop,
            order_id=str(number) if own else str(5_000_000_000_000 + self.chance.randrange(10**12)),
            name=f"#{number}",
            placed_at=placed_at,
            sale=sale,
            account=ACCOUNTS[account],
            gateway=gateway,
            buyer_currency=shop.currency,
            buyer_total=sale.total,
            rate=rate(shop.currency, shop.currency),
        )
        if shop.buyers_from_abroad and self.chance.random() < _FROM_ABROAD:
            self._show_abroad(draft)
        return draft

    def twin(self, draft: Draft) -> Draft:
        """Another order of the same amount, minutes later, paid the same way."""
        at = draft.placed_at + timedelta(seconds=self.chance.uniform(60, 900))
        sale = draft.sale.model_copy(update={"at": at})
        number = self._next_number(draft.shop)
        own = draft.shop.platform == "woocommerce"
        return Draft(
            shop=draft.shop,
            order_id=str(number) if own else str(5_000_000_000_000 + self.chance.randrange(10**12)),
            name=f"#{number}",
            placed_at=at,
            sale=sale,
            account=draft.account,
            gateway=draft.gateway,
            buyer_currency=draft.buyer_currency,
            buyer_total=draft.buyer_total,
            rate=draft.rate,
        )

    def tie(self, draft: Draft, *, sure: bool = False) -> Tie:
        """How order and payment name each other; `sure`: somewhere they do, and so that only one order is meant."""
        if not sure and self.chance.random() < _WITHOUT_REFERENCE:
            return Tie.NONE
        tie = self.chance.choices([tie for tie, _ in _TIES], [share for _, share in _TIES])[0]
        if draft.account.vendor == "shopify":  # its lines name the order or the transaction
            return Tie.BOTH if tie is Tie.SHARED else Tie.LINE
        if sure and draft.shop.platform == "woocommerce" and tie in (Tie.LINE, Tie.FACT):
            return Tie.BOTH
        if tie is Tie.FACT and not draft.account.tells_payments:
            return Tie.LINE
        return tie

    def soon(self, draft: Draft) -> datetime:
        """When a buyer who pays at once has paid."""
        return draft.placed_at + timedelta(seconds=min(3_600.0, self.chance.lognormvariate(3.9, 0.9)))

    def after(self, moment: datetime, least: float, most: float) -> datetime:
        """Some days later."""
        return moment + timedelta(days=self.chance.uniform(least, most))

    def _next_number(self, shop: Shop) -> int:
        self._numbers[shop.id] += 1
        return self._numbers[shop.id] - 1

    def _show_abroad(self, draft: Draft) -> None:
        """The buyer sees another currency, at the shop's rate; where that is Shopify's own, it is the provider's too,
        and what the books say is what the buyer's amount comes to."""
        buyers = self.chance.choice(draft.shop.buyers_from_abroad)
        draft.buyer_currency = buyers
        draft.rate = rate(buyers, draft.shop.currency)
        draft.buyer_total = exchanged(draft.sale.total, draft.shop.currency, buyers, 1 / draft.rate)
        difference = draft.in_books(draft.buyer_total) - draft.sale.total
        if difference:
            total = draft.sale.total + difference
            draft.sale = draft.sale.model_copy(update={"adjustment": difference, "total": total})
