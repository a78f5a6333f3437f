"""What must hold between shops, providers, bank and books, checked on what the third act left."""

from collections.abc import Iterator

from infra.demo.finance_findings import Findings, held_against
from infra.demo.finance_month import WRONG
from infra.demo.finance_providers import BANK, PAYPAL
from infra.demo.finance_stage import CountingHouse
from infra.demo.verdict import Check, nothing_private
from infra.fakes.payment_twins import STRIPE
from shared.finance.audit import faults_in
from shared.finance.reports.figures import plain
from shared.finance.trial import balances_of, held_by, off_by, unbalanced


def findings_of(house: CountingHouse) -> Findings:
    """What the first reconciliation found, held against what was planted."""
    return held_against(house.providers.planted, [case.discrepancy for case in house.first_cases])


def check_finance(house: CountingHouse) -> Iterator[Check]:
    yield _faults_found(house)
    yield _all_kept(house)
    yield _nothing_mismatched(house)
    yield _orders_close(house)
    yield _books_balance(house)
    yield _provider_ties(house)
    yield _rerun_changes_nothing(house)
    yield _trail_whole(house)
    yield nothing_private(house.stage)


def _faults_found(house: CountingHouse) -> Check:
    findings = findings_of(house)
    found = sum(finding.found is not None for finding in findings.each)
    right = sum(finding.is_named_right for finding in findings.each)
    said = f"{len(findings.each)} planted: {found} found, {right} named right; {len(findings.false)} false exceptions"
    return Check("Every fault is found and rightly named, and nothing else", findings.are_right, said)


def _all_kept(house: CountingHouse) -> Check:
    book, days, providers = house.book, house.days, house.providers
    kept = (
        len(list(book.orders(*days))),
        len(list(book.lines(STRIPE, *days))),
        len(list(book.lines(PAYPAL, *days))),
        len(list(book.bank_lines(BANK, *days))),
    )
    told = (
        len(providers.month.purchases),
        providers.stripe_movements,
        len(providers.settled),
        len(providers.booked),
    )
    found = "{} orders, {} movements at Stripe, {} at PayPal, {} at the bank".format(*kept)
    return Check("Everything that was told is in the books once, and nothing else", kept == told, found)


def _nothing_mismatched(house: CountingHouse) -> Check:
    """Each charge belongs to the order that its buyer paid, or to none; the one that Bob linked, to that order."""
    providers = house.providers
    linked = {charge: key or _linked(house, charge) for charge, key in providers.charges.items()}
    known = house.book.orders_of_charges(sorted(linked))
    wrong = sorted(charge for charge, key in linked.items() if known.get(charge, "") != key)
    found = f"{len(known)} of {len(linked)} charges have an order, wrong: {', '.join(wrong) or 'none'}"
    return Check("No payment is matched with another's order", not wrong, found)


def _linked(house: CountingHouse, charge: str) -> str:
    return house.providers.owed_again if charge == house.providers.mistyped else ""


def _orders_close(house: CountingHouse) -> Check:
    sound = [one for one in house.providers.month.purchases if one.course not in WRONG]
    left = [one.name for one in sound if not house.explain(one.key).money.closes]
    found = f"{len(sound) - len(left)} of {len(sound)} close to zero; open: {', '.join(left) or 'none'}"
    return Check("Every order without a fault closes to zero", not left, found)


def _books_balance(house: CountingHouse) -> Check:
    entries = tuple(house.book.entries(*house.days))
    off, odd = off_by(balances_of(entries)), unbalanced(entries)
    found = f"{len(entries)} entries, unbalanced: {', '.join(odd) or 'none'}, off by {off or 'nothing'}"
    return Check("Each entry balances, and the trial balance is zero", bool(entries) and not off and not odd, found)


def _provider_ties(house: CountingHouse) -> Check:
    balances = balances_of(house.book.entries(*house.days))
    ours = {account: held_by(balances, account, "EUR") for account in (STRIPE, PAYPAL)}
    theirs = {STRIPE: house.providers.stripe_holds, PAYPAL: house.providers.paypal_holds}
    found = ", ".join(f"{name}: {plain(ours[name], 'EUR')} here, {plain(theirs[name], 'EUR')} there" for name in ours)
    return Check("Clearing and reserve are what the provider itself holds", ours == theirs, found)


def _rerun_changes_nothing(house: CountingHouse) -> Check:
    before = house.snapshot()
    answer = house.reconcile()
    after = house.snapshot()
    changed = len(set(before) ^ set(after))
    found = f"{len(after)} matches, cases, entries and records, {changed} differ; posted {answer['posted']['new']}"
    return Check("The same reconciliation again changes nothing, to the byte", before == after, found)


def _trail_whole(house: CountingHouse) -> Check:
    records = list(house.book.records())
    faults = faults_in(records)
    middle = len(records) // 2
    forged = [*records]
    forged[middle] = records[middle].model_copy(update={"actor": "nobody"})
    seen = faults_in(forged)
    shown = seen[0] if seen else "unseen"
    found = f"{len(records)} records, faults: {', '.join(faults) or 'none'}; one forged in a copy: {shown}"
    return Check("The audit trail is whole, and a forged record shows", not faults and bool(seen), found)
