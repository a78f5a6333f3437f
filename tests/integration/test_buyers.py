"""Buyers are written to and look at their pages, over the functions' own handlers and real tables."""

import json
import logging
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from pynamodb.connection import Connection

from infra.local.answers import Answer
from shared.customers.record import Verification, VerificationState
from shared.customers.verify import nonce_of
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.orders.table import BuyerTable
from shared.platform.errand_queue import OrderErrand, VerificationErrand
from shared.platform.observability import logger
from shared.sync.backoffice.mirror import Mirror
from shared.wiring.customer_tables import marker
from tests.builders.buyers import NUMBER, paid_back, parcel, record, sent
from tests.builders.customers import customer, kept
from tests.builders.orders import NOON, line, order
from tests.fakes.html_pages import Html
from tests.fakes.pages_house import BASE, PagesHouse, pages_house, settings

EVENTS = Path(__file__).parents[2] / "events"
KEY = OrderKey("aurora", "5001")
EVE = CustomerKey.parse("aurora/customer/17")
TOMORROW = NOON + timedelta(days=1)
ERRAND = OrderErrand(shop="aurora", order_id="5001")
CONFIRM = b"action=confirm"


@pytest.fixture
def house(connection: Connection, table_names: dict[str, str], tmp_path: Path) -> Iterator[PagesHouse]:
    with pages_house(connection, table_names, settings(), tmp_path) as made:
        yield made


def sold(house: PagesHouse, **of_record: Any) -> None:
    account = order(line("MUG", 2, title="Mug"))
    house.keep(account, record(account, **of_record))


def shipped(house: PagesHouse) -> None:
    goods = sent(("line-MUG", 2), parcels=(parcel(),))
    house.sends(Mirror(shop="aurora", order_id="5001", backoffice="erp", dispatches=(goods,)))


def asked(house: PagesHouse, email: str = "eve@example.test") -> Verification:
    pending = Verification(state=VerificationState.PENDING, mark=marker().email(email), asked=1)
    kept(house.customers, customer(), verification=pending)
    return pending


def link_of(mail: Any) -> str:
    """The path of the one link of ours in a mail."""
    return next(link for link in Html(mail.body).links if link.startswith(BASE)).removeprefix(BASE)


def state(house: PagesHouse) -> VerificationState:
    found = house.customers.find(EVE)
    assert found is not None
    return found.verification.state


def text(answer: Answer) -> str:
    return Html(answer.body.decode()).text


# ---- notices ---------------------------------------------------------------------------------------------------------


def test_an_order_is_told_once_and_its_link_leads_to_its_page(house: PagesHouse) -> None:
    sold(house, fulfilment=FulfilmentState.SHIPPED)
    shipped(house)
    for _ in range(3):
        assert house.run(ERRAND, ERRAND) == []
    assert [mail.subject for mail in house.mails] == [
        "Order #5001 is confirmed",
        "Order #5001: goods are on their way",
    ]
    assert {tuple(mail.destinations["ToAddresses"]) for mail in house.mails} == {("eve@example.test",)}
    answer = house.ask("GET", link_of(house.mails[1]))
    assert answer.status == 200
    assert NUMBER in text(answer)
    assert house.waiting(house.queue) == house.waiting(house.dead) == []


def test_a_kind_that_the_settings_do_not_name_is_not_told(house: PagesHouse) -> None:
    sold(house, fulfilment=FulfilmentState.DELIVERED)
    shipped(house)
    house.run(ERRAND)
    assert "was delivered" not in " ".join(mail.subject for mail in house.mails)


def test_a_shop_that_writes_to_nobody_does_not(
    connection: Connection, table_names: dict[str, str], tmp_path: Path
) -> None:
    silent = settings(buyers=None)
    silent["shops"]["aurora"].pop("customers", None)  # it asked for proof until now
    with pages_house(connection, table_names, silent, tmp_path) as house:
        sold(house)
        asked(house)
        house.run(ERRAND, VerificationErrand(customer=str(EVE), asked=1))
        assert house.mails == []
        # An order is told nothing; a customer who has to prove an address cannot, and somebody must hear of it.
        assert [body["what"] for body in house.waiting(house.dead)] == ["verification"]


def test_letters_wait_while_the_sender_may_not_send(
    connection: Connection, table_names: dict[str, str], tmp_path: Path
) -> None:
    unverified = settings()
    unverified["shops"]["aurora"]["buyers"]["sender"] = "other@example.test"
    with pages_house(connection, table_names, unverified, tmp_path) as house:
        sold(house)
        assert house.run(ERRAND) == []
        assert house.mails == []
        assert len(house.waiting(house.queue)) == 1


def test_a_buyer_who_was_forgotten_is_told_nothing(
    house: PagesHouse, connection: Connection, table_names: dict[str, str]
) -> None:
    sold(house)
    BuyerTable(connection, table_names["orders"]).forget_buyer(KEY, NOON)
    house.run(ERRAND)
    assert house.mails == []


def test_what_is_no_errand_goes_to_the_dead_letters(house: PagesHouse) -> None:
    assert house.run("{}", ERRAND) == ["m0"]


# ---- the order's page ------------------------------------------------------------------------------------------------


def test_the_page_shows_how_far_the_order_is_and_nothing_else(house: PagesHouse) -> None:
    account = order(line("MUG", 2, title="Mug"), refunds=(paid_back("5.00"),))
    house.keep(account, record(account, review=ReviewState.HELD))
    answer = house.ask("GET", house.address("track", str(KEY), TOMORROW))
    shown = answer.body.decode()
    assert "checking it" in text(answer)
    assert "Aurora & 极光" in text(answer)
    for hidden in ("Eve", "Shopper", "eve@", "Berlin", "10115", "Weg", "Mug", "MUG", "20.00", "5.00", "EUR"):
        assert hidden not in shown


def test_the_page_is_in_the_readers_language(house: PagesHouse) -> None:
    sold(house)
    path = house.address("track", str(KEY), TOMORROW)
    assert "订单进度" in text(house.ask("GET", path, accept_language="zh-CN,zh;q=0.9,en;q=0.8"))
    english = house.ask("GET", f"{path}?lang=en", accept_language="zh-CN")
    assert "The way of your order" in text(english)
    assert english.headers["content-language"] == "en"


def test_no_page_tells_a_forged_link_from_an_order_that_is_not_here_or_was_forgotten(
    house: PagesHouse, connection: Connection, table_names: dict[str, str]
) -> None:
    sold(house)
    genuine = house.address("track", str(KEY), TOMORROW)
    assert house.ask("GET", genuine).status == 200
    BuyerTable(connection, table_names["orders"]).forget_buyer(KEY, NOON)
    payload, _, tag = genuine.removeprefix("/track/").partition(".")
    others = house.address("track", "aurora/5002", TOMORROW).removeprefix("/track/").partition(".")
    answers = [
        house.ask("GET", path)
        for path in (
            genuine,
            house.address("track", "aurora/5002", TOMORROW),
            house.address("track", "elsewhere/5001", TOMORROW),
            house.address("track", "no key", TOMORROW),
            house.address("verify", str(KEY), TOMORROW).replace("/verify/", "/track/"),
            f"/track/{payload}.{others[2]}",
            f"/track/{others[0]}.{tag}",
            f"/track/{payload}.{tag[:-1]}",
            f"/track/{payload}",
            "/track/x",
            "/track/%F0%9F%8D%B5.%00",
            f"/track/{'A' * 5000}",
        )
    ]
    assert {(answer.status, answer.body, tuple(sorted(answer.headers.items()))) for answer in answers} == {
        (404, answers[0].body, tuple(sorted(answers[0].headers.items())))
    }
    assert "There is nothing here" in text(answers[0])
    assert "Aurora" not in text(answers[0])


def test_an_expired_link_says_so_and_shows_nothing(house: PagesHouse) -> None:
    sold(house)
    answer = house.ask("GET", house.address("track", str(KEY), NOON))
    assert answer.status == 410
    assert "has expired" in text(answer)
    assert "5001" not in text(answer)


def test_a_page_that_cannot_be_shown_now_asks_to_come_again(house: PagesHouse) -> None:
    sold(house)
    paths = house.address("track", str(KEY), TOMORROW), house.address("verify", str(EVE), TOMORROW)
    house.lose_keys()
    for path in paths:
        answer = house.ask("GET", path)
        assert (answer.status, answer.headers["retry-after"]) == (503, "60")
        assert "5001" not in text(answer)


# ---- the proof of an address -----------------------------------------------------------------------------------------


def test_a_link_is_sent_asks_and_is_taken_once(house: PagesHouse) -> None:
    asked(house)
    errand = VerificationErrand(customer=str(EVE), asked=1)
    house.run(errand)
    house.run(errand)
    (mail,) = house.mails
    path = link_of(mail)
    for _ in range(3):  # programs that scan mail look too
        question = house.ask("GET", path)
        assert question.status == 200
        assert "Yes, it was me" in text(question)
    assert state(house) is VerificationState.PENDING
    answer = house.ask("POST", path, CONFIRM)
    assert (answer.status, state(house)) == (200, VerificationState.VERIFIED)
    assert "is confirmed" in text(answer)
    for again in (CONFIRM, b"action=decline"):
        used = house.ask("POST", path, again)
        assert used.status == 410
        assert "used already" in text(used)
    assert state(house) is VerificationState.VERIFIED


def test_whoever_was_not_meant_says_so(house: PagesHouse) -> None:
    asked(house)
    house.run(VerificationErrand(customer=str(EVE), asked=1))
    answer = house.ask("POST", f"{link_of(house.mails[0])}?lang=zh", b"action=decline")
    assert (answer.status, state(house)) == (200, VerificationState.REJECTED)
    assert "感谢您告知" in text(answer)


@pytest.mark.parametrize("body", [b"", b"action=maybe", b"action=confirm&action=decline", b"a" * 5000, b"action=%ff"])
def test_an_answer_that_is_none_changes_nothing(house: PagesHouse, body: bytes) -> None:
    asked(house)
    house.run(VerificationErrand(customer=str(EVE), asked=1))
    answer = house.ask("POST", link_of(house.mails[0]), body)
    assert answer.status == 400
    assert state(house) is VerificationState.PENDING


def test_no_other_link_proves_the_address(house: PagesHouse) -> None:
    pending = asked(house)
    stored = house.customers.find(EVE)
    assert stored is not None
    nonce = nonce_of(stored, marker())
    older = stored.model_copy(update={"verification": pending.model_copy(update={"asked": 0})})
    wrong = (
        house.address("verify", str(EVE), TOMORROW, nonce_of(older, marker())),
        house.address("verify", str(EVE), TOMORROW),
        house.address("verify", "aurora/customer/18", TOMORROW, nonce),
        house.address("verify", "elsewhere/customer/17", TOMORROW, nonce),
        house.address("verify", "no key", TOMORROW, nonce),
        house.address("track", str(EVE), TOMORROW, nonce).replace("/track/", "/verify/"),
        "/verify/x.y",
    )
    pages = {(house.ask("POST", path, CONFIRM).status, house.ask("POST", path, CONFIRM).body) for path in wrong}
    assert len(pages) == 1
    assert pages.pop()[0] == 404
    expired = house.ask("POST", house.address("verify", str(EVE), NOON, nonce), CONFIRM)
    assert expired.status == 410
    assert "has expired" in text(expired)
    assert state(house) is VerificationState.PENDING
    assert house.ask("POST", house.address("verify", str(EVE), TOMORROW, nonce), CONFIRM).status == 200


def test_no_page_and_no_log_names_anybody(
    house: PagesHouse, capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    lines = StringIO()
    writer = logging.StreamHandler(lines)
    writer.setFormatter(logger().registered_formatter)
    logger().addHandler(writer)
    request.addfinalizer(lambda: logger().handlers.remove(writer))
    sold(house)
    asked(house)
    house.run(ERRAND, VerificationErrand(customer=str(EVE), asked=1))
    path = link_of(house.mails[1])
    shown = [house.ask(*each).body.decode() for each in (("GET", path), ("POST", path, CONFIRM))]
    metrics = capfd.readouterr().out
    assert "errand run" in lines.getvalue()
    assert "VerificationPage" in metrics
    for written in (*shown, metrics, lines.getvalue()):
        for hidden in ("eve@", "Eve", "Shopper", "Berlin"):
            assert hidden not in written
    assert path.rpartition("/")[2] not in metrics + lines.getvalue()


# ---- recorded triggers -----------------------------------------------------------------------------------------------


def recorded(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def test_the_recorded_errands_are_ours(house: PagesHouse) -> None:
    bodies = [recorded(name)["Records"][0]["body"] for name in ("notify_order", "notify_verification")]
    sold(house)
    assert house.run(*bodies) == []
    assert [mail.subject for mail in house.mails] == ["Order #5001 is confirmed"]


def test_the_recorded_requests_are_signed_with_the_examples_root(house: PagesHouse) -> None:
    example = tomllib.loads((EVENTS.parent / "infra" / "local" / "secrets.example.toml").read_text(encoding="utf-8"))
    house.take_keys(example["privacy"])
    sold(house)
    for function, name, status in (
        ("order_tracking", "order_tracking_get", 200),
        ("customer_verification", "customer_verification_get", 404),  # nobody was asked
        ("customer_verification", "customer_verification_post", 404),
    ):
        reply = json.loads(house.invoke(function, json.dumps(recorded(name)).encode()).payload)
        assert (reply["statusCode"], reply["headers"]["content-language"]) == (status, "zh")
