"""Journal entries for tests of reports and exports, of the shapes that `finance.due` gives. All made up."""

import hashlib
import random
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple

from shared.finance.journal import Dimensions, DueEntry, JournalEntry, Posting, Role, Topic

DAY = date(2026, 3, 2)


def posting(role: Role, of: str | None, amount: int, currency: str = "EUR", **told: Any) -> Posting:
    return Posting(role=role, of=of, currency=currency, amount=amount, dimensions=Dimensions(**told))


def entry(
    source: str,
    topic: Topic,
    *postings: Posting | None,
    on: date = DAY,
    posted_on: date | None = None,
    narration: str = "",
) -> JournalEntry:
    due = DueEntry(
        source=source,
        topic=topic,
        on=on,
        narration=narration or source,
        postings=tuple(one for one in postings if one),
    )
    digest = hashlib.sha256(due.model_dump_json().encode()).hexdigest()
    return JournalEntry(**dict(due), number=1, posted_on=posted_on or on, digest=digest)


def undone(made: JournalEntry, *, posted_on: date | None = None) -> JournalEntry:
    """The reversal of an entry."""
    opposite = tuple(
        one.model_copy(
            update={
                "amount": -one.amount,
                "dimensions": one.dimensions.model_copy(update={"units": -(one.dimensions.units or 0) or None}),
            }
        )
        for one in made.postings
    )
    changed = {"postings": opposite, "number": 2, "reverses": 1, "posted_on": posted_on or made.posted_on}
    return made.model_copy(update=changed)


class Deal(NamedTuple):
    """What was sold in one order, or what of it is given back. Minor units."""

    number: int = 1001
    net: int = 1000
    tax: int = 210
    shipping: int = 495
    units: int = 1
    sku: str | None = "MUG"
    title: str = "A mug"
    shop: str = "aurora"
    channel: str = "web"
    currency: str = "EUR"
    country: str = "NL"
    rate: str | None = "0.21"

    @property
    def total(self) -> int:
        return self.net + self.tax + self.shipping

    @property
    def told(self) -> dict[str, Any]:
        return {"shop": self.shop, "channel": self.channel, "order": f"{self.shop}/{self.number}"}

    def posting(self, role: Role, amount: int, **more: Any) -> Posting | None:
        return posting(role, self.shop, amount, self.currency, **self.told, **more) if amount else None

    def goods(self, role: Role, sign: int) -> Posting | None:
        return self.posting(role, -sign * self.net, sku=self.sku, title=self.title, units=sign * self.units)

    def taxed(self, sign: int) -> Posting | None:
        return self.posting(Role.TAX, -sign * self.tax, country=self.country, tax_title="VAT", tax_rate=self.rate)


MUG = Deal()
MUG_BACK = Deal(shipping=0)


def sale(deal: Deal = MUG, *, on: date = DAY) -> JournalEntry:
    return entry(
        f"order/{deal.shop}/{deal.number}/sale",
        Topic.SALE,
        deal.posting(Role.RECEIVABLE, deal.total),
        deal.goods(Role.SALES, 1),
        deal.posting(Role.SHIPPING, -deal.shipping),
        deal.taxed(1),
        on=on,
        narration=f"#{deal.number} sale",
    )


def refund(deal: Deal = MUG_BACK, *, on: date = DAY) -> JournalEntry:
    return entry(
        f"order/{deal.shop}/{deal.number}/refund/1",
        Topic.REDUCTION,
        deal.posting(Role.RECEIVABLE, -deal.total),
        deal.goods(Role.RETURNS, -1),
        deal.posting(Role.RETURNS, deal.shipping),
        deal.taxed(-1),
        on=on,
        narration=f"#{deal.number} refund",
    )


def receipt(
    number: int = 1001,
    amount: int = 1705,
    *,
    account: str = "stripe-eu",
    shop: str = "aurora",
    currency: str = "EUR",
    line: str = "txn",
    on: date = DAY,
) -> JournalEntry:
    """A capture; a refund where the amount is negative."""
    told = {"shop": shop, "order": f"{shop}/{number}"}
    return entry(
        f"line/{account}/{line}_{number}",
        Topic.RECEIPT,
        posting(Role.CLEARING, account, amount, currency, **told),
        posting(Role.RECEIVABLE, shop, -amount, currency, **told),
        on=on,
    )


def fee(
    number: int = 1001,
    amount: int = 49,
    *,
    account: str = "stripe-eu",
    currency: str = "EUR",
    alone: bool = False,
    on: date = DAY,
) -> JournalEntry:
    """A charge's own fee; `alone`: one that was taken by itself."""
    return entry(
        f"line/{account}/fee_{number}" if alone else f"line/{account}/txn_{number}/fee",
        Topic.FEE,
        posting(Role.FEES, account, amount, currency, category="dispute_fee" if alone else "charge"),
        posting(Role.CLEARING, account, -amount, currency),
        on=on,
    )


def payout(
    name: str, amount: int, *, account: str = "stripe-eu", currency: str = "EUR", on: date = DAY
) -> JournalEntry:
    return entry(
        f"payout/{account}/{name}",
        Topic.PAYOUT,
        posting(Role.IN_TRANSIT, account, amount, currency, payout=name),
        posting(Role.CLEARING, account, -amount, currency, payout=name),
        on=on,
    )


def arrival(
    name: str, amount: int, *, account: str = "stripe-eu", currency: str = "EUR", on: date = DAY
) -> JournalEntry:
    return entry(
        f"bank/bank-eu/{name}",
        Topic.BANK,
        posting(Role.BANK, "bank-eu", amount, currency),
        posting(Role.IN_TRANSIT, account, -amount, currency, payout=name),
        on=on,
    )


def dispute(
    number: int, amount: int, *, account: str = "stripe-eu", currency: str = "EUR", on: date = DAY
) -> JournalEntry:
    """Money that a dispute took; that it gave back where the amount is negative."""
    told = {"shop": "aurora", "order": f"aurora/{number}"}
    return entry(
        f"line/{account}/dp_{number}_{'taken' if amount > 0 else 'back'}",
        Topic.DISPUTE,
        posting(Role.CLEARING, account, -amount, currency, **told),
        posting(Role.DISPUTED, account, amount, currency, **told),
        on=on,
    )


def lost_dispute(number: int, amount: int, *, account: str = "stripe-eu", on: date = DAY) -> JournalEntry:
    told = {"shop": "aurora", "order": f"aurora/{number}"}
    return entry(
        f"dispute/{account}/dp_{number}/lost",
        Topic.DISPUTE,
        posting(Role.DISPUTE_LOSSES, account, amount, **told),
        posting(Role.DISPUTED, account, -amount, **told),
        on=on,
    )


def cost(number: int, amount: int, *, sku: str = "MUG", units: int = 1, on: date = DAY) -> JournalEntry:
    told: dict[str, Any] = {"shop": "aurora", "order": f"aurora/{number}", "sku": sku, "units": units}
    return entry(
        f"order/aurora/{number}/cost" if units > 0 else f"order/aurora/{number}/refund/1/cost",
        Topic.COST,
        posting(Role.COST_OF_SALES, "aurora", amount, **told),
        posting(Role.INVENTORY, "aurora", -amount, **told),
        on=on,
    )


_PRODUCTS = (
    ("MUG-BLUE", "Enamel mug, blue, 350 ml", 1450, 610),
    ("TEA-OOLONG", "高山乌龙茶 150 g", 1890, 720),
    ("LAMP-DESK", "Desk lamp with a very long name that says everything about its shade, arm and switch", 7900, 3900),
    ("CARD-A6", "Postcards, set of 12", 990, 0),
    ("=HYPER", '=HYPERLINK("http://x.example","<b>click</b>")', 500, 180),
    ("BAG-LINEN", "Linen bag", 2400, 1150),
)
_BUYERS = (("NL", "0.21"), ("DE", "0.19"), ("FR", "0.20"), ("US", None))
_ACCOUNTS = (("stripe-eu", 145, 25), ("paypal", 290, 35))


def month(seed: int = 7, orders: int = 400, first: date = date(2026, 3, 1)) -> list[JournalEntry]:
    """A month of one merchant with two shops, two providers, and EUR and JPY, sorted as the ledger has it."""
    chance = random.Random(seed)  # noqa: S311 - made-up figures
    found: list[JournalEntry] = []
    for number in range(1001, 1001 + orders):
        found += _story(number, chance, first)
    found += _payouts(found, first)
    return sorted(found, key=lambda made: (made.posted_on, made.id))


def _story(number: int, chance: random.Random, first: date) -> Iterable[JournalEntry]:
    day = first + timedelta(days=min(chance.randrange(31), chance.randrange(45), 30))
    sku, title, price, unit_cost = chance.choice(_PRODUCTS)
    country, rate = chance.choice(_BUYERS)
    account, hundredths, fixed = _ACCOUNTS[chance.random() < 0.3]
    is_japan = chance.random() < 0.12
    currency, shop = ("JPY", "nippon") if is_japan else ("EUR", "aurora")
    units = chance.choice((1, 1, 1, 2, 3))
    net = price * units
    tax = round(net * float(rate)) if rate else 0
    shipping = chance.choice((0, 495, 695))
    channel = chance.choice(("web", "web", "pos", "app"))
    deal = Deal(number, net, tax, shipping, units, sku, title, shop, channel, currency, country, rate)
    where: dict[str, Any] = {"shop": shop, "currency": currency}
    yield sale(deal, on=day)
    if unit_cost and not is_japan:
        yield cost(number, unit_cost * units, sku=sku, units=units, on=day)
    if chance.random() < 0.03:
        return
    paid = day + timedelta(days=chance.choice((0, 0, 0, 1)))
    yield receipt(number, deal.total, account=account, on=paid, **where)
    kept = deal.total * hundredths // 10_000 + fixed
    yield fee(number, kept, account=account, currency=currency, on=paid)
    if chance.random() < 0.08:
        back = day + timedelta(days=chance.randrange(1, 9))
        yield refund(deal._replace(shipping=0), on=back)
        if unit_cost and not is_japan:
            yield cost(number, -unit_cost * units, sku=sku, units=-units, on=back)
        yield receipt(number, -(net + tax), account=account, line="re", on=back, **where)
    elif chance.random() < 0.02 and not is_japan:
        taken = day + timedelta(days=6)
        yield dispute(number, deal.total, account=account, on=taken)
        yield fee(number, 1500, account=account, alone=True, on=taken)
        if chance.random() < 0.5:
            yield lost_dispute(number, deal.total, account=account, on=taken + timedelta(days=9))


def _payouts(entries: Iterable[JournalEntry], first: date) -> Iterable[JournalEntry]:
    """Every fifth day, each provider pays out what it holds."""
    moved = [
        (made.posted_on, one.of or "", one.currency, one.amount)
        for made in entries
        for one in made.postings
        if one.role is Role.CLEARING
    ]
    for number in range(5, 31, 5):
        day = first + timedelta(days=number)
        held: Counter[tuple[str, str]] = Counter()
        for on, account, currency, amount in moved:
            if day - timedelta(days=7) <= on < day - timedelta(days=2):
                held[account, currency] += amount
        for (account, currency), amount in sorted(held.items()):
            if amount > 0:
                name = f"po_{number:02}_{currency}"
                yield payout(name, amount, account=account, currency=currency, on=day)
                if number < 26:
                    yield arrival(name, amount, account=account, currency=currency, on=day + timedelta(days=2))
