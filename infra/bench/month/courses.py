"""How orders go when nothing is wrong: what must not become an exception, however odd it looks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from infra.bench.month.counter import Counter
from infra.bench.month.till import UNTOLD, Charge, Draft, Entry, Terms, Tie, Till
from shared.finance.models import MovementKind, PaymentState, StoreMovement

_LONG_AGO: Final = 77
"""Days."""

Course = Callable[[Till, Counter, Draft], None]


def paid(till: Till, counter: Counter, draft: Draft) -> None:
    till.charge(draft, draft.buyer_total, counter.soon(draft), Terms(counter.tie(draft)))


def captured_later(till: Till, counter: Counter, draft: Draft) -> None:
    """Authorised at once, captured when the goods leave. Until then nobody says that it is paid."""
    at = counter.after(draft.placed_at, 0.5, 6)
    taken = till.charge(draft, draft.buyer_total, at, Terms(counter.tie(draft)))
    if taken is None and draft.account.tells_payments:
        authorised = PaymentState.AUTHORISED
        names = (draft.order_id,)
        till.tell(
            draft.account,
            till.charge_name(draft.account),
            draft.placed_at,
            draft.buyer_currency,
            draft.buyer_total,
            names,
            authorised,
        )


def declined_first(till: Till, counter: Counter, draft: Draft) -> None:
    """The first card was refused."""
    if draft.account.tells_payments:
        refused = PaymentState.FAILED
        at = draft.placed_at - timedelta(minutes=2)
        names = (draft.order_id,)
        till.tell(
            draft.account, till.charge_name(draft.account), at, draft.buyer_currency, draft.buyer_total, names, refused
        )
    paid(till, counter, draft)


def with_gift_card(till: Till, counter: Counter, draft: Draft) -> None:
    """A part by gift card: told as a tender of its own (Shopify), or taken off the total (WooCommerce)."""
    part = draft.buyer_total // counter.chance.randint(3, 6)
    if draft.shop.platform == "woocommerce" and draft.buyer_currency == draft.shop.currency:
        total = draft.sale.total - part
        draft.sale = draft.sale.model_copy(update={"gift_cards_deducted": part, "total": total})
        draft.buyer_total = total
        paid(till, counter, draft)
        return
    taken = till.charge(draft, draft.buyer_total - part, counter.soon(draft), Terms(counter.tie(draft)))
    draft.movements.append(
        StoreMovement(
            id=till.number(),
            kind=MovementKind.CAPTURE,
            gateway="gift_card",
            at=taken.at if taken else draft.placed_at,
            currency=draft.buyer_currency,
            amount=part,
        )
    )


def by_two_cards(till: Till, counter: Counter, draft: Draft) -> None:
    """Both payments name the order in one way, or neither does."""
    part = draft.buyer_total * counter.chance.randint(20, 60) // 100
    tie = counter.tie(draft)
    at = counter.soon(draft)
    till.charge(draft, part, at, Terms(tie))
    till.charge(draft, draft.buyer_total - part, at + timedelta(seconds=40), Terms(tie))


def refunded(till: Till, counter: Counter, draft: Draft) -> None:
    charge = _charged(till, counter, draft)
    if charge:
        give_back_all(till, counter, charge)


def refunded_in_part(till: Till, counter: Counter, draft: Draft) -> None:
    charge = _charged(till, counter, draft)
    if charge:
        give_back(till, counter, charge, max(1, charge.amount * counter.chance.randint(10, 70) // 100), 0.05)


def refunded_in_parts(till: Till, counter: Counter, draft: Draft) -> None:
    charge = _charged(till, counter, draft)
    if not charge:
        return
    give_back(till, counter, charge, charge.amount // 4 or 1, 0.05, longest=4)
    give_back(till, counter, charge, charge.amount // 3 or 1, 4.1, longest=8)


def lowered_after_payment(till: Till, counter: Counter, draft: Draft) -> None:
    """An edit takes goods out, and the difference goes back within hours: often on the day of the payout."""
    charge = _charged(till, counter, draft)
    if charge:
        give_back(
            till, counter, charge, max(1, charge.amount * counter.chance.randint(5, 30) // 100), 0.02, longest=0.4
        )


def raised_after_payment(till: Till, counter: Counter, draft: Draft) -> None:
    """An edit adds goods, and the buyer pays the difference."""
    more = draft.buyer_total // 5 or 1
    if till.charge(draft, draft.buyer_total - more, counter.soon(draft), Terms(counter.tie(draft, sure=True))):
        later = counter.after(draft.placed_at, 0.1, 1.5)
        if not till.charge(draft, more, later, Terms(counter.tie(draft, sure=True))):
            draft.buyer_total -= more
            books = draft.in_books(draft.buyer_total)
            less = books - draft.sale.total
            draft.sale = draft.sale.model_copy(update={"adjustment": draft.sale.adjustment + less, "total": books})


def captured_in_part_and_lowered(till: Till, counter: Counter, draft: Draft) -> None:
    """Goods that were sold out were taken out of the order before the rest was captured: all sides agree."""
    less = draft.buyer_total * counter.chance.randint(10, 60) // 100 or 1
    at = counter.after(draft.placed_at, 0.5, 4)
    terms = Terms(counter.tie(draft, sure=True), stated=draft.buyer_total - less)
    charge = till.charge(draft, draft.buyer_total, at, terms)
    if charge is None:
        return
    reverse(till, charge, less)
    books = draft.sale.total - draft.in_books(draft.buyer_total - less)
    draft.reductions.append(counter.catalogue(draft).part(draft.sale, books, id="edit/1", at=at))


def paid_outside(till: Till, counter: Counter, draft: Draft) -> None:
    """Cash on delivery, bank transfer: no feed tells of it."""
    gateways = {"woocommerce": ("cod", "bacs"), "shopify": ("manual", "bank_transfer")}
    draft.gateway = counter.chance.choice(gateways.get(draft.shop.platform, ("cash", "cheque")))
    at = counter.after(draft.placed_at, 0, 9)
    if at < till.as_of:
        till.claim(draft, draft.buyer_total, at)


def tried_out(till: Till, counter: Counter, draft: Draft) -> None:
    """A test order; half of them leave a test line in the feed."""
    draft.test, draft.owes = True, False
    if counter.chance.random() < 0.5:  # noqa: PLR2004
        charge = till.charge(draft, draft.buyer_total, counter.soon(draft), UNTOLD)
        if charge:
            charge.entry.test = True
            till.waiting.discard(draft.item)
            if draft.account.tells_payments:
                till.payments[-1] = till.payments[-1].model_copy(update={"test": True})


def left_unpaid(_till: Till, _counter: Counter, draft: Draft) -> None:
    draft.cancelled, draft.owes = True, False


def twice_the_same(till: Till, counter: Counter, draft: Draft) -> None:
    """A buyer who buys and pays the same twice within minutes. Every other time one payment names nothing."""
    tie = Tie.NONE if counter.chance.random() < 0.5 else counter.tie(draft, sure=True)  # noqa: PLR2004
    twin = counter.twin(draft)
    till.charge(draft, draft.buyer_total, counter.soon(draft), Terms(counter.tie(draft, sure=True)))
    till.charge(twin, twin.buyer_total, counter.soon(twin), Terms(tie))
    till.close_order(twin)


def from_before(till: Till, counter: Counter, draft: Draft) -> None:
    """Bought and paid eleven weeks ago, before all that is looked at, and refunded now: the charge was matched then."""
    placed_at = draft.placed_at
    draft.placed_at -= timedelta(days=_LONG_AGO)
    draft.sale = draft.sale.model_copy(update={"at": draft.placed_at})
    charge = _charged(till, counter, draft)
    if charge is None:
        raise AssertionError("what was bought before the month was paid before it")
    till.entries.pop()
    till.belongs.pop(f"{draft.account.id}/{charge.entry.line_id}")
    if till.payments and till.payments[-1].payment_id == charge.payment_id:
        till.payments.pop()
    if give_back(till, counter, charge, charge.amount, _LONG_AGO, longest=_LONG_AGO + 2):
        till.known_charges[f"{draft.account.id}/{charge.payment_id}"] = draft.key
    else:  # too late for this month: then nobody looks at the order
        draft.placed_at = placed_at
        draft.movements.clear()
        left_unpaid(till, counter, draft)


COURSES: Final[tuple[tuple[Course, float], ...]] = (
    (paid, 0.783),
    (captured_later, 0.06),
    (declined_first, 0.015),
    (with_gift_card, 0.018),
    (by_two_cards, 0.012),
    (refunded, 0.022),
    (refunded_in_part, 0.017),
    (refunded_in_parts, 0.004),
    (lowered_after_payment, 0.005),
    (raised_after_payment, 0.003),
    (captured_in_part_and_lowered, 0.005),
    (paid_outside, 0.036),
    (tried_out, 0.003),
    (left_unpaid, 0.013),
    (twice_the_same, 0.003),
    (from_before, 0.001),
)


def _charged(till: Till, counter: Counter, draft: Draft) -> Charge | None:
    return till.charge(draft, draft.buyer_total, counter.soon(draft), Terms(counter.tie(draft)))


def give_back(
    till: Till, counter: Counter, charge: Charge, amount: int, soonest: float, longest: float = 12
) -> Entry | None:
    """A refund that shop and provider agree about; nothing where it falls after the month."""
    at = counter.after(charge.at, soonest, longest)
    refund = till.refund(charge, amount, at, named=counter.chance.random() < 0.5)  # noqa: PLR2004
    if refund is None:
        return None
    draft = charge.draft
    books = draft.sale.total if amount == draft.buyer_total else draft.in_books(amount)
    number = f"refund/{len(draft.reductions) + 1}"
    document = counter.catalogue(draft).part(draft.sale, books, id=number, at=at)
    till.record_refund(draft, document, amount, refund)
    return refund


def give_back_all(till: Till, counter: Counter, charge: Charge) -> None:
    """Nearly half of the orders that are refunded as a whole are cancelled by it."""
    refund = give_back(till, counter, charge, charge.amount, 0.05)
    charge.draft.cancelled = refund is not None and counter.chance.random() < 0.45  # noqa: PLR2004


def reverse(till: Till, charge: Charge, buyers: int) -> Entry:
    """Take back the part of a charge that is not captured, in whatever currency it settled; webhooks know the rest."""
    entry = charge.entry
    settled = entry.gross * buyers // charge.amount
    back = till.reverse_part(charge, settled)
    if entry.rate:
        back.buyer_currency, back.buyer_amount, back.rate = charge.currency, -buyers, entry.rate
    if till.payments and till.payments[-1].payment_id == charge.payment_id:
        till.payments[-1] = till.payments[-1].model_copy(update={"amount": charge.amount - buyers})
    return back
