"""`storebridge money reconcile` reads feeds over HTTP: what one cannot tell stops neither the others nor the rest."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from infra.fakes.payment_twins import PAYPAL, STRIPE, PaymentTwins, payment_twins
from infra.local.provision import Contents
from infra.local.stack import LocalStack, Options
from shared.wiring import payment_feeds
from tests.builders.finance import statement
from tests.integration.cli.books import NOW, SETTINGS, Books, set_clock
from tests.integration.cli.conftest import CommandLine, disconnect
from tests.integration.cli.quiet import SECRETS, QuietStack


@pytest.fixture(scope="module")
def twins() -> Iterator[PaymentTwins]:
    with payment_twins(lambda: NOW) as made:
        yield made


@pytest.fixture(scope="module")
def stack(twins: PaymentTwins) -> Iterator[LocalStack]:
    connected = twins.contents(
        Contents({**SETTINGS, "payments": {}}, SECRETS), stripe_eu={"gateways": ["stripe"]}, paypal_eu={}
    )
    api = {name: kept for name, kept in connected.secrets["api"].items() if name != PAYPAL}
    without_paypals = replace(connected, secrets={**connected.secrets, "api": api})
    with QuietStack(Options(contents=without_paypals, retry_after=0)) as running:
        yield running
        payment_feeds._http().close()
    for cached in (payment_feeds._http, payment_feeds._api_credentials):
        cached.cache_clear()
    disconnect()


@pytest.fixture
def books(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Books:
    disconnect()
    payment_feeds._api_credentials.cache_clear()
    set_clock(monkeypatch)
    made = Books(stack)
    made.begin_anew()
    return made


def test_a_feed_that_fails_stops_neither_the_others_nor_the_rest(
    storebridge: CommandLine, books: Books, twins: PaymentTwins
) -> None:
    at = NOW - timedelta(days=3)
    twins.stripe.charge(5000, "EUR", at, fee=100, order_id="5001")
    books.keep(statement("5001", at=at))

    foretold = storebridge.json("money", "reconcile", "--dry-run")
    assert (foretold["read"], foretold["matches"]) == ([], 0)
    assert storebridge.json("money", "reconcile", "--no-pull")["read"] == []

    done = storebridge("money", "reconcile", "--json")
    assert (done.exit_code, done.stderr) == (1, "")
    told = json.loads(done.stdout)
    by_account = {one["account"]: one for one in told["read"]}
    assert by_account[PAYPAL]["error"] == "no_api_access"
    assert (by_account[STRIPE]["error"], by_account[STRIPE]["finished"]) == (None, True)
    assert by_account[STRIPE]["new"] > 0
    assert told["matches"] == 1

    again = storebridge.json("money", "reconcile", "--account", STRIPE)
    assert [(one["account"], one["new"]) for one in again["read"]] == [(STRIPE, 0)]
    status = {one["account"]: one["feed"] for one in storebridge.json("money", "status")["accounts"]}
    assert status[STRIPE]["read_until"] is not None
    assert (status[PAYPAL]["read_until"], status[PAYPAL]["last_error"]) == (None, "no_api_access")
    shown = storebridge("money", "reconcile")
    assert (shown.exit_code, "no_api_access" in shown.stdout) == (1, True)
    assert storebridge.refusal("money", "reconcile", "--account", "nope")["error"] == "unknown_account"
    assert storebridge.refusal("money", "reconcile", "--since", "soon")["error"] == "invalid_day"
