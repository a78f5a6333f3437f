"""Finance's whole way, over HTTP and with the deployed functions: what shops, providers and the bank say is matched,
what does not tie out is worked on, and nothing is counted twice whatever comes late, again or at the same time."""

import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from infra.fakes.payment_twins import ALIPAY, STRIPE, STRIPE_SECRETS
from infra.samples import alipay, paypal
from infra.samples import stripe as stripe_samples
from shared.finance.audit import faults_in
from shared.finance.cases import CaseState, Resolution
from shared.finance.journal import Role
from shared.finance.models import DiscrepancyKind, PaymentKind, Rule, Subject
from shared.finance.posting import entries_in_force
from shared.finance.review import Decision, approve, resolve
from shared.finance.trial import balances_of, off_by
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.wiring.payment_files import GivenFile, take_in_for_bank
from tests.e2e.finance_house import IBAN, STRIPE_RULES, Business, business, major

LIMIT = 40
"""Cents from which on a second person has to agree."""
BUYERS = ("zoe@example.test", "Ünal", "\\u00dcnal", "Hauptstr", "+4930", "canary.person")
"""What the samples say of buyers, in whatever way it is written."""


@pytest.fixture(scope="module")
def books() -> Iterator[Business]:
    accounts = {
        "stripe_eu": STRIPE_RULES,
        "paypal_eu": {"gateways": ["paypal"]},
        "alipay_cn": {"gateways": ["alipay"], "api_access": False, "tells_balance": False},
    }
    with business(finance={"approval_limits": {"EUR": LIMIT}}, **accounts) as opened:
        play_what_ties_out(opened)
        play_what_does_not(opened)
        yield opened


def play_what_ties_out(books: Business) -> None:
    stripe = books.providers.stripe
    books.order(1001, 4500, books.at(9))
    stripe.charge(4500, "EUR", books.at(9), fee=88, order_id="1001")
    books.order(1002, 2000, books.at(9, 13))
    second = stripe.charge(2000, "EUR", books.at(9, 13), fee=53, order_number="#1002")
    stripe.refund(second, 500, books.at(8))
    books.refunded(1002, 2000, 500, books.at(9, 13), books.at(8))
    books.order(1003, 3000, books.at(8), gateway="paypal")
    books.providers.paypal.pay(3000, "EUR", books.at(8), fee=105, custom_id="1003", invoice_id="WC-1003")
    stripe.arrive(stripe.pay_out("EUR", books.at(7), arrives=books.at(6)), books.at(6))


def play_what_does_not(books: Business) -> None:
    """One fault of each kind."""
    stripe = books.providers.stripe
    books.order(2001, 5100, books.at(6))
    stripe.charge(7777, "EUR", books.at(6), fee=100)
    books.order(2002, 1500, books.at(6))
    for minute in (0, 5):
        stripe.charge(1500, "EUR", books.at(6, 12, minute), fee=30, order_id="2002")
    books.order(2003, 2500, books.at(6))
    refunded_at_stripe = stripe.charge(2500, "EUR", books.at(6), fee=40, order_id="2003")
    stripe.refund(refunded_at_stripe, 700, books.at(5))
    books.refunded(2004, 2600, 600, books.at(6), books.at(6, 15))
    stripe.charge(2600, "EUR", books.at(6), fee=40, order_id="2004")
    books.order(2005, 3000, books.at(6))
    stripe.charge(2950, "EUR", books.at(6), fee=40, order_id="2005")
    books.order(2006, 3600, books.at(6))
    disputed = stripe.charge(3600, "EUR", books.at(6), fee=50, order_id="2006")
    stripe.dispute(disputed, books.at(4), fee=1500)
    stripe.move("moon_dust", -123, "EUR", books.at(5))
    stripe.arrive(stripe.pay_out("EUR", books.at(3), arrives=books.at(2), short_by=300), books.at(2))
    for number in (2007, 2008):
        books.order(number, 3300, books.at(3, 18))
        stripe.charge(3300, "EUR", books.at(3, 18), fee=50)


def statement(*arrived: tuple[datetime, int, str], opening: int = 100_000) -> bytes:
    """A bank's CAMT.053 of these credits."""
    space = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
    entries = "".join(
        f'<Ntry><Amt Ccy="EUR">{major(minor)}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        f"<BookgDt><Dt>{at.date()}</Dt></BookgDt><ValDt><Dt>{at.date()}</Dt></ValDt>"
        f"<AcctSvcrRef>REF{minor}</AcctSvcrRef>"
        f"<NtryDtls><TxDtls><RltdPties><Dbtr><Pty><Nm>canary.person</Nm></Pty></Dbtr></RltdPties>"
        f"<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for at, minor, text in arrived
    )
    closing = opening + sum(minor for _, minor, _ in arrived)
    balances = "".join(
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{major(minor)}</Amt>'
        f"<CdtDbtInd>CRDT</CdtDbtInd></Bal>"
        for code, minor in (("OPBD", opening), ("CLBD", closing))
    )
    account = f"<Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
    body = f"<BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt><Id>S1</Id>{account}{balances}{entries}</Stmt>"
    return f'<?xml version="1.0"?><Document xmlns="{space}">{body}</BkToCstmrStmt></Document>'.encode()


def require_sound(books: Business) -> None:
    """What holds of the ledger whenever a reconciliation is through."""
    entries = books.entries()
    by_source: dict[str, list[int]] = {}
    for entry in entries:
        by_source.setdefault(entry.source, []).append(entry.number)
    assert all(sorted(numbers) == list(range(1, len(numbers) + 1)) for numbers in by_source.values())
    assert off_by(balances_of(entries)) == {}
    assert balances_of(entries) == balances_of(entries_in_force(entries).values())
    assert books.balance(Role.CLEARING, STRIPE) + books.balance(Role.RESERVE, STRIPE) == books.held_at_stripe()


# ---- what is told ----


def test_an_order_is_a_statement_and_a_forged_one_is_nothing(books: Business) -> None:
    assert set(books.settle()) == {200}
    (stated,) = books.book.find_orders([books.key(1001)]).values()
    assert (stated.owed, [movement.gateway for movement in stated.movements]) == (4500, ["stripe"])
    before = books.facts()
    assert books.webhook({"id": 6666, "email": "zoe@example.test"}, secret="another").status_code == 401
    books.stack.drain()
    assert books.facts() == before


def test_a_signed_event_is_a_payment_whichever_secret_of_a_rotation_signed_it(books: Business) -> None:
    stripe = books.providers.stripe
    kept = books.book.find_payment(STRIPE, "ch_1")
    assert kept is not None
    assert (kept.kind, kept.amount, kept.references) == (PaymentKind.CAPTURE, 4500, ("1001", "pi_1"))
    before = books.facts()
    for secret in STRIPE_SECRETS:
        assert stripe.send(stripe.told[0], books.stack.url, secrets=[secret]) == 200
    books.stack.drain()
    assert books.facts() == before, "the same event again changes nothing"


def test_a_forged_event_is_refused_and_writes_nothing(books: Business) -> None:
    before = books.facts()
    stolen = stripe_samples.event("charge.succeeded", stripe_samples.charge(id="ch_forged", amount=99_999))
    assert books.providers.stripe.send(stolen, books.stack.url, secrets=["whsec_guessed"]) == 401
    body = paypal.encode(paypal.event("PAYMENT.CAPTURE.COMPLETED", paypal.capture()))
    forged = paypal.signed_request(body, sent_at=f"{utc_now():%Y-%m-%dT%H:%M:%SZ}")
    url = f"{books.stack.url}/webhooks/paypal-eu/payments"
    headers = {**forged.headers, "paypal-cert-url": "https://certificates.example/mine"}
    assert books.http.post(url, content=forged.body, headers=headers).status_code == 401
    assert books.http.post(f"{books.stack.url}/webhooks/nobody/payments", content=b"{}").status_code == 404
    books.stack.drain()
    assert books.facts() == before


def test_alipay_s_notification_is_a_payment_and_it_hears_the_words_it_wants(books: Business) -> None:
    now = alipay.local_text(utc_now())
    told = alipay.notification(app_id=books.providers.alipay.app_id, gmt_create=now, gmt_payment=now, notify_time=now)
    url = f"{books.stack.url}/webhooks/{ALIPAY}/payments"
    request = alipay.request(told, private_key=books.providers.alipay.alipay.private)
    answer = books.http.post(url, content=request.body, headers=request.headers)
    assert (answer.status_code, answer.text) == (200, "success")
    books.stack.drain()
    kept = books.book.find_payment(ALIPAY, alipay.TRADE_NO)
    assert kept is not None
    assert (kept.currency, kept.amount) == ("CNY", 3580)
    before = books.facts()
    changed = request.body.replace(b"total_amount=3", b"total_amount=9")
    refused = books.http.post(url, content=changed, headers=request.headers)
    assert (refused.status_code, refused.text) == (401, "fail")
    books.stack.drain()
    assert books.facts() == before


# ---- what ties out, and what does not ----


def test_what_belongs_together_is_matched_and_each_fault_is_found_and_named(books: Business) -> None:
    done = books.reconcile()
    assert done["read"].keys() == {STRIPE, "paypal-eu"}
    assert done["discrepancies"] == {
        "missing_payment": 1,
        "missing_order": 2,
        "duplicate_capture": 1,
        "refund_not_in_store": 1,
        "refund_not_at_processor": 1,
        "amount_mismatch": 1,
        "dispute_open": 1,
        "unknown_txn": 1,
        "payout_short": 1,
        "bank_missing": 1,
    }
    kind = DiscrepancyKind
    named = {
        kind.MISSING_PAYMENT: ("order:aurora/2001", 5100, 0),
        kind.DUPLICATE_CAPTURE: ("order:aurora/2002", 1500, 3000),
        kind.REFUND_NOT_AT_PROCESSOR: ("order:aurora/2004", -600, 0),
        kind.AMOUNT_MISMATCH: ("order:aurora/2005", 3000, 2950),
        kind.BANK_MISSING: ("payout:stripe-eu/po_4", 5859, 0),
    }
    for what, told in named.items():
        found = books.case(what).discrepancy
        assert (str(found.subject), found.expected, found.found) == told
    assert books.case(kind.REFUND_NOT_IN_STORE, names="aurora/2003").discrepancy.difference == -700
    assert sorted(case.discrepancy.difference for case in books.cases_of(kind.MISSING_ORDER)) == [6600, 7777]
    assert books.case(kind.PAYOUT_SHORT).discrepancy.difference == -300
    assert books.case(kind.DISPUTE_OPEN, names="aurora/2006").discrepancy.blocks_close is False
    unknown = books.case(kind.UNKNOWN_TXN).discrepancy
    assert (unknown.difference, unknown.blocks_close) == (-123, True)


def test_each_order_that_ties_out_closes_to_zero_and_says_why(books: Business) -> None:
    for number in (1001, 1002, 1003):
        assert books.receivable(books.key(number)) == 0
        rules = {match.rule for match in books.book.matches_of(f"order:{books.key(number)}")}
        assert Rule.REFERENCE in rules
    assert books.balance(Role.CLEARING, "paypal-eu") == books.providers.paypal.held()["EUR"] == 2895
    require_sound(books)


def test_a_second_run_over_the_same_facts_is_the_same_to_the_byte(books: Business) -> None:
    before = books.facts()
    done = books.reconcile(pull=False)
    assert books.facts() == before
    assert done["posted"] | {"same": 0} == {"new": 0, "corrected": 0, "withdrawn": 0, "same": 0}
    assert books.reconcile(dry_run=True, since=books.day(20).isoformat())["dry_run"] is True
    assert books.facts() == before
    books.reconcile()
    assert books.facts() == before, "the feeds are read with overlap, and tell nothing new"


def test_the_bank_s_file_says_that_the_payout_arrived_however_often_it_is_taken_in(books: Business) -> None:
    missing = books.case(DiscrepancyKind.BANK_MISSING)
    arrived = (books.at(6), 5859, "STRIPE PAYOUT")
    content = statement(arrived, (books.at(6), 1999, "Rent back"))
    books.desk()
    first = take_in_for_bank(GivenFile("one.xml", content), "main", actor="ann")
    assert (first.new, first.faults) == (2, ())
    overlapping = statement((books.at(6), 1999, "Rent back"), opening=200_000)
    for again in (content, overlapping):
        assert take_in_for_bank(GivenFile("two.xml", again), "main", actor="ann").new == 0
    done = books.reconcile(pull=False)
    assert "bank_missing" not in done["discrepancies"]
    cleared = books.book.find_case(missing.id)
    assert cleared is not None
    assert cleared.state is CaseState.CLEARED
    assert books.balance(Role.BANK, "main") == arrived[1], "what else arrives there is not these books' business"
    require_sound(books)


# ---- what staff do about it ----


def test_a_payment_that_nobody_can_tell_apart_is_linked_by_somebody(books: Business) -> None:
    tie = books.case(DiscrepancyKind.MISSING_ORDER, names="aurora/2007")
    assert {str(item) for item in tie.discrepancy.others} >= {"order:aurora/2007", "order:aurora/2008"}
    linked = tie.discrepancy.subject
    assert linked.subject is Subject.LINE
    decided = Decision(Resolution.RELINK, "the buyer sent the receipt", link="aurora/2008")
    resolve(tie.id, decided, books.desk(), actor="ann")
    orphan = books.case(DiscrepancyKind.MISSING_ORDER)
    with pytest.raises(Rejected, match="unknown_order"):
        resolve(orphan.id, Decision(Resolution.RELINK, "a guess", link="aurora/9999"), books.desk(), actor="ann")
    books.reconcile(pull=False)
    (match,) = books.book.matches_of(str(linked))
    assert (match.rule, "aurora/2008" in {item.id for item in match.items}) == (Rule.STAFF, True)
    assert [books.receivable(books.key(number)) for number in (2007, 2008)] == [0, 0], "the other one is unique now"
    require_sound(books)


def test_a_write_off_needs_a_second_person_and_is_booked_once(books: Business) -> None:
    short = books.case(DiscrepancyKind.AMOUNT_MISMATCH)
    assert books.receivable(books.key(2005)) == -short.discrepancy.difference == 50
    proposed = resolve(short.id, Decision(Resolution.WRITE_OFF, "below the cost of asking"), books.desk(), actor="Ann")
    assert proposed.state is CaseState.PROPOSED
    books.reconcile(pull=False)
    assert books.receivable(books.key(2005)) == 50, "a proposal books nothing"
    with pytest.raises(Rejected, match="self_approval"):
        approve(short.id, books.desk(), actor=" ann ")
    approve(short.id, books.desk(), actor="ben")
    for _ in range(2):
        books.reconcile(pull=False)
        assert books.receivable(books.key(2005)) == 0
        assert books.balance(Role.WRITE_OFF, "aurora") == 50
    require_sound(books)


def test_what_is_accepted_stays_accepted_and_an_unknown_movement_keeps_its_case(books: Business) -> None:
    one_sided = books.case(DiscrepancyKind.REFUND_NOT_IN_STORE)
    resolve(one_sided.id, Decision(Resolution.ACCEPT, "goodwill, by telephone"), books.desk(), actor="ann")
    books.reconcile()
    kept = books.book.find_case(one_sided.id)
    assert kept is not None
    assert kept.state is CaseState.RESOLVED
    assert books.case(DiscrepancyKind.UNKNOWN_TXN).discrepancy.blocks_close


def test_what_was_missing_comes_after_all_and_its_case_is_cleared(books: Business) -> None:
    missing = books.case(DiscrepancyKind.MISSING_PAYMENT)
    books.providers.stripe.charge(5100, "EUR", fee=90, order_id="2001")
    books.reconcile()
    cleared = books.book.find_case(missing.id)
    assert cleared is not None
    assert cleared.state is CaseState.CLEARED
    assert books.receivable(books.key(2001)) == 0
    before = books.entries()
    assert books.settle() == [200], "the webhook comes long after the feed told of the payment"
    books.reconcile(pull=False)
    assert books.entries() == before
    assert books.receivable(books.key(2001)) == 0
    require_sound(books)


def test_two_reconciliations_at_once_come_to_one_ledger(books: Business) -> None:
    stripe = books.providers.stripe
    for number in range(3001, 3009):
        books.order(number, 1000 + number, utc_now())
        stripe.charge(1000 + number, "EUR", fee=20, order_id=str(number))
    books.settle()
    event = b'{"accounts": ["stripe-eu"]}'
    with ThreadPoolExecutor(2) as both:
        outcomes = list(both.map(books.stack.lambdas.invoke, ["storebridge-payment-reconciliation"] * 2, [event] * 2))
    assert not all(outcome.failed for outcome in outcomes)
    done = books.reconcile()
    assert done["posted"]["new"] + done["posted"]["corrected"] + done["posted"]["withdrawn"] == 0
    numbers = [entry.number for entry in books.entries() if entry.source.startswith("order/aurora/30")]
    assert numbers == [1] * 8
    assert [books.receivable(books.key(number)) for number in range(3001, 3009)] == [0] * 8
    require_sound(books)


# ---- who did what, and who is named ----


def test_no_function_failed_and_no_log_or_fact_names_anybody(books: Business) -> None:
    logs = books.logs()
    assert "reconciled" in logs
    assert "Traceback" not in logs
    facts = "\n".join(books.facts())
    assert "STRIPE PAYOUT" in facts
    for buyer in BUYERS:
        assert buyer not in logs
        assert buyer not in facts


def test_the_trail_is_whole_and_whoever_changes_it_is_found(books: Business) -> None:
    records = list(books.book.records())
    assert faults_in(records) == ()
    assert {record.action for record in records} >= {"file.imported", "case.resolved", "case.proposed", "case.approved"}
    approved = next(record for record in records if record.action == "case.approved")
    assert (approved.actor, approved.detail["proposed_by"]) == ("ben", "Ann")
    item = books.item(f"{approved.number:012d}")
    body = zlib.decompress(item["body"]["B"])
    forged = item | {"body": {"B": zlib.compress(body.replace(b'"ben"', b'"eve"'))}}
    assert forged != item
    books.write(forged)
    assert faults_in(books.book.records()) == (f"record {approved.number} was changed after it was written",)
    books.take_out(item)
    assert faults_in(books.book.records()), "a record that is missing is found too"
    books.write(item)
    assert faults_in(books.book.records()) == ()
