"""The traffic of a load run: repeatable, and with everything in it that shops do to one."""

from collections import Counter

import pytest

from infra.load.traffic import Kind, Sending, plan


@pytest.fixture(scope="module")
def sendings() -> list[Sending]:
    return plan(400, 20.0, seed=3)


def test_the_same_seed_gives_the_same_traffic_to_the_byte(sendings: list[Sending]) -> None:
    assert plan(400, 20.0, seed=3) == sendings
    assert plan(400, 20.0, seed=4) != sendings


def test_it_offers_about_what_was_asked_for(sendings: list[Sending]) -> None:
    assert len(sendings) / sendings[-1].at == pytest.approx(20.0, rel=0.2)


def test_it_is_sent_in_the_order_of_time(sendings: list[Sending]) -> None:
    times = [sending.at for sending in sendings]
    assert times == sorted(times)
    assert times[0] > 0


def test_all_kinds_and_both_shops_take_part(sendings: list[Sending]) -> None:
    assert set(Counter(sending.kind for sending in sendings)) == set(Kind)
    assert {sending.account.key.shop for sending in sendings} == {"aurora", "borealis"}


def test_no_two_accounts_of_one_order_are_of_the_same_time(sendings: list[Sending]) -> None:
    """Such a tie is for the storefront to break, and no storefront knows these orders."""
    accounts = {(sending.account.key, sending.account.sha256): sending.account.updated_at for sending in sendings}
    times = Counter((key, updated) for (key, _), updated in accounts.items())
    assert max(times.values()) == 1


def test_a_forgery_bears_the_signature_of_another_body(sendings: list[Sending]) -> None:
    forged = [sending for sending in sendings if sending.kind is Kind.FORGED]
    assert all(sending.post.request.body != sending.account.post.request.body for sending in forged)
    assert all(sending.post.request.headers == sending.account.post.request.headers for sending in forged)


def test_an_overtaken_account_leaves_after_a_newer_one(sendings: list[Sending]) -> None:
    for late in (sending for sending in sendings if sending.kind is Kind.OVERTAKEN):
        before = [one.account for one in sendings if one.account.key == late.account.key and one.at < late.at]
        assert any(account.updated_at > late.account.updated_at for account in before)
