"""Take in one account of an order: compare, decide, commit. Called for every delivery, any number of times."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial

from shared.customers.verification import Standing
from shared.kernel.errors import Rejected, Retry
from shared.kernel.identifiers import OrderKey
from shared.kernel.versions import Comparison, compare, counts_unasked, is_outdated
from shared.orders.decision import STOREFRONT, Circumstances, Fingerprint, cancel, decide
from shared.orders.demand import skus_of
from shared.orders.lifecycle import ReviewState, may_payment_move
from shared.orders.models import Order
from shared.orders.ports import Desk
from shared.orders.readings import CompleteOrder, NothingToDo, OrderHint, Reading
from shared.orders.record import OrderRecord

_STATUS = re.compile(r"(?:[a-z_]{1,30}: ?)?[A-Za-z0-9_.-]{1,40}", re.ASCII)


class Result(StrEnum):
    APPLIED = "applied"
    DUPLICATE = "duplicate"
    """This account is already in the record."""
    SUPERSEDED = "superseded"
    """A newer account is already in the record."""
    IGNORED = "ignored"
    """Genuine, but it concerns no order that we keep."""


@dataclass(frozen=True)
class Outcome:
    result: Result
    key: OrderKey | None = None
    record: OrderRecord | None = None
    reason: str = ""
    oddities: tuple[str, ...] = ()
    """Unknown statuses and odd steps, for metrics: nothing was lost, but somebody should look."""


def take_in(shop: str, reading: Reading, desk: Desk) -> Outcome:
    """Bring the record of one order up to what the storefront says, once, whatever came before and in which order.

    Raises:
        Retry: something was out of reach, or others were faster too often; take the message in again later.
        Rejected: the order cannot be read, or the storefront must be asked and there is no API access.
    """
    if isinstance(reading, NothingToDo):
        return Outcome(Result.IGNORED, reason=reading.reason)
    if isinstance(reading, CompleteOrder):
        return _until_settled(partial(_apply, reading.order, desk), desk)
    order = _follow_up(reading, desk)
    if order is None:
        return _until_settled(partial(_gone, OrderKey(shop, reading.order_id), desk), desk)
    return _until_settled(partial(_apply, order, desk), desk)


def _follow_up(hint: OrderHint, desk: Desk) -> Order | None:
    if desk.storefront is not None:
        return desk.storefront.fetch(hint.order_id)
    if hint.partial is not None:
        return hint.partial
    if hint.reason == "deleted":
        return None
    raise Rejected(
        "no_api_access",
        f"the delivery only says that an order changed ({hint.reason}), and we cannot ask the shop for it",
        field="api",
        hint="set the shop's API credentials, then replay this delivery",
    )


def _until_settled(step: Callable[[], Outcome], desk: Desk) -> Outcome:
    """An order of more stock lines than one transaction takes is brought in by several commits, each complete."""
    while True:
        outcome = desk.retrying()(step)
        if outcome.record is None or outcome.record.settled:
            return outcome


def _apply(order: Order, desk: Desk) -> Outcome:
    stored = desk.book.find(order.key)
    if stored is not None:
        comparison = compare(order.version, stored.version)
        if comparison is Comparison.UNDECIDED:
            return _ask_again(order, stored, desk)
        if comparison is Comparison.OLDER:
            return Outcome(Result.SUPERSEDED, order.key)
        if comparison is Comparison.SAME and stored.settled:
            return Outcome(Result.DUPLICATE, order.key)
    return _commit(order, stored, desk)


def _ask_again(order: Order, stored: OrderRecord, desk: Desk) -> Outcome:
    """Two accounts of the same second differ: the storefront knows which is true."""
    if desk.storefront is None:
        counts = counts_unasked(order.version, stored.version)
        return _commit(order, stored, desk) if counts else Outcome(Result.SUPERSEDED, order.key)
    fetched = desk.storefront.fetch(order.order_id)
    if fetched is None:
        return _gone(order.key, desk)
    if is_outdated(stored.version, fetched.version):
        return _commit(fetched, stored, desk)
    _mend_account(fetched, stored, desk)
    return Outcome(Result.SUPERSEDED, order.key)


def _mend_account(fetched: Order, stored: OrderRecord, desk: Desk) -> None:
    """Whoever lost the tie after writing an account (others committed first, or the process ended there) left it beside
    a record that says otherwise. Nobody would look at the order again: its account is taken for one on its way."""
    kept = desk.book.find_account(stored.key)
    if kept is None or kept.version.updated_at > stored.version.updated_at:
        return
    if kept.version.states_the_same(stored.version):
        return
    if not fetched.version.states_the_same(stored.version):
        raise Retry("account_ahead", f"of order {stored.key} an account is kept that its record is not built from")
    desk.book.write_account(fetched)


def _commit(order: Order, stored: OrderRecord | None, desk: Desk) -> Outcome:
    around = circumstances(desk, order, stored, twin=_twin(order, stored, desk))
    commit = decide(order, stored, around)
    desk.book.write_account(order)
    desk.book.commit(commit)
    return Outcome(Result.APPLIED, order.key, commit.record, oddities=oddities(order, stored))


def circumstances(
    desk: Desk, order: Order | None, stored: OrderRecord | None, *, twin: OrderKey | None = None
) -> Circumstances:
    """Read what a decision about this order needs, as it is at this moment."""
    bundles = desk.bundles()
    return Circumstances(
        stock=desk.stock.read(skus_of(order, stored.lines if stored else (), bundles)),
        locations=desk.locations,
        rules=desk.rules,
        now=desk.clock(),
        bundles=bundles,
        twin=twin,
        buyer=desk.standing(order) if order else Standing.NOT_ASKED,
    )


def _gone(key: OrderKey, desk: Desk) -> Outcome:
    stored = desk.book.find(key)
    if stored is None:
        return Outcome(Result.IGNORED, key, reason="the storefront has no such order, and neither have we")
    if stored.review is ReviewState.CANCELLED and stored.settled:
        return Outcome(Result.DUPLICATE, key)
    commit = cancel(stored, circumstances(desk, None, stored), by=STOREFRONT, kind="deleted")
    desk.book.commit(commit)
    return Outcome(Result.APPLIED, key, commit.record)


def _twin(order: Order, stored: OrderRecord | None, desk: Desk) -> OrderKey | None:
    claim = fingerprint_of(order, stored, desk)
    if claim is None:
        return None
    return desk.book.claim_fingerprint(claim.value, claim.key, placed_at=claim.placed_at, window=claim.window)


def fingerprint_of(order: Order, stored: OrderRecord | None, desk: Desk) -> Fingerprint | None:
    """What another order has that is this one sent twice: looked for once, when an order first comes in."""
    window = timedelta(minutes=desk.rules.duplicate_window_minutes)
    buyer = order.personal.email or order.personal.phone or order.personal.customer_id
    if stored is not None or not window or not buyer or order.cancelled_at:
        return None
    lines = sorted([line.sku or line.variant_id or line.title, line.quantity] for line in order.lines)
    total = order.totals.total.presentment
    parts = [order.shop, buyer.strip().lower(), lines, total.minor, total.currency]
    value = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return Fingerprint(value, order.key, order.processed_at or order.created_at, window)


def oddities(order: Order, stored: OrderRecord | None) -> tuple[str, ...]:
    """Unknown statuses and odd steps of the payment, in words for the log."""
    unknown = tuple(f"unknown status {_plain(status)}" for status in order.unknown_statuses)
    if stored is not None and not may_payment_move(stored.payment, order.payment):
        return (*unknown, f"payment went from {stored.payment} to {order.payment}")
    return unknown


def _plain(status: str) -> str:
    """A vendor's word as the log takes it: what is more than a word (`wc-on-hold`, `financial: frozen`) may be
    anything, and no more is said of it than that."""
    return status if _STATUS.fullmatch(status) else "that is more than a word"
