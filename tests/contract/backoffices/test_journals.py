"""What every back office promises of daily journals."""

from collections.abc import Sequence
from datetime import date

import pytest

from shared.backoffices.documents import Journal, JournalLine
from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected
from shared.kernel.money import Money
from tests.contract.backoffices.world import PLACED, Killed, World

BOOKS_CLOSED_UNTIL = date(2026, 1, 31)
"""No other test writes into this month."""


@pytest.fixture
def key(key: str) -> str:
    return f"storebridge/journal/{key}/2026-11-23/EUR"


def _journal(
    world: World,
    key: str,
    amounts: Sequence[str] = ("-12.34", "12.00", "0.34"),
    *,
    accounts: Sequence[str] | None = None,
    name: str | None = None,
    currency: str = "EUR",
    day: date = PLACED,
) -> Journal:
    return Journal(
        key=key,
        name="Storebridge 2026-11-23",
        posted_on=day,
        journal=name,
        currency=currency,
        lines=tuple(
            JournalLine(account=account, amount=Money.parse(amount, currency), label="fees of stripe-eu")
            for account, amount in zip(accounts or world.accounts, amounts, strict=True)
        ),
    )


def _sums(world: World, key: str) -> dict[str, str] | None:
    posted = world.office.posted_journal(key)
    return None if posted is None else {account: f"{amount.decimal:.2f}" for account, amount in posted.sums.items()}


def _expected(world: World, amounts: Sequence[str] = ("-12.34", "12.00", "0.34")) -> dict[str, str]:
    return dict(zip(world.accounts, amounts, strict=True))


def test_journals_can_be_posted_to_its_accounts(world: World) -> None:
    found = {account.code: account for account in world.office.accounts()}
    assert set(world.accounts) <= set(found)
    assert all(found[code].name and found[code].kind for code in world.accounts)


@pytest.fixture(autouse=True)
def _takes_journals(world: World) -> None:
    if not world.office.capabilities.journals:
        pytest.skip(f"{world.office.capabilities.vendor} takes no journals")


def test_journals_of_an_unknown_key_are_none(world: World, key: str) -> None:
    assert world.office.posted_journal(key) is None


def test_a_journal_is_posted_once(world: World, key: str) -> None:
    first = world.office.post_journal(_journal(world, key))
    assert world.fresh().post_journal(_journal(world, key)) == first
    posted = world.fresh().posted_journal(key)
    assert posted is not None
    assert posted.id == first
    assert _sums(world, key) == _expected(world)
    assert world.count_journals(key) == 1


def test_a_posted_journal_stays_as_it_is(world: World, key: str) -> None:
    first = world.office.post_journal(_journal(world, key))
    assert world.fresh().post_journal(_journal(world, key, ("-5.00", "4.00", "1.00"))) == first
    assert _sums(world, key) == _expected(world)


def test_journals_whose_keys_begin_alike_are_two(world: World, key: str) -> None:
    first = world.office.post_journal(_journal(world, f"{key}/2", ("-1.00", "0.50", "0.50")))
    assert world.office.posted_journal(key) is None
    assert world.office.post_journal(_journal(world, key)) != first
    assert _sums(world, f"{key}/2") == _expected(world, ("-1.00", "0.50", "0.50"))


def test_a_journal_moves_an_account_in_several_lines(world: World, key: str) -> None:
    one, two, three = world.accounts
    accounts = [one, two, two, three]
    world.office.post_journal(_journal(world, key, ("-10.00", "7.00", "2.00", "1.00"), accounts=accounts))
    assert _sums(world, key) == _expected(world, ("-10.00", "9.00", "1.00"))


def test_a_journal_goes_to_the_one_that_is_named(world: World, key: str) -> None:
    world.office.post_journal(_journal(world, key, name=world.journal))
    assert _sums(world, key) == _expected(world)


def test_an_unknown_journal_is_named(world: World, key: str) -> None:
    if world.journal is None:
        pytest.skip(f"{world.office.capabilities.vendor} keeps all entries in one place")
    with pytest.raises(Rejected) as refusal:
        world.office.post_journal(_journal(world, key, name="Nobody's journal"))
    assert (refusal.value.code, refusal.value.field) == (Refusal.NOT_FOUND, "journal")
    assert "Nobody's journal" in refusal.value.message
    assert world.count_journals(key) == 0


def test_an_unknown_account_of_a_journal_is_named(world: World, key: str) -> None:
    accounts = [*world.accounts[:2], "NO-SUCH-ACCOUNT"]
    with pytest.raises(Rejected) as refusal:
        world.office.post_journal(_journal(world, key, accounts=accounts))
    assert (refusal.value.code, refusal.value.field) == (Refusal.NOT_FOUND, "account")
    assert "NO-SUCH-ACCOUNT" in refusal.value.message
    assert world.count_journals(key) == 0


def test_a_journal_in_another_currency_is_refused(world: World, key: str) -> None:
    with pytest.raises(Rejected) as refusal:
        world.office.post_journal(_journal(world, key, currency="USD"))
    assert (refusal.value.code, refusal.value.field) == ("journal_currency", "currency")
    assert world.count_journals(key) == 0


def test_a_journal_of_a_closed_period_is_refused(world: World, key: str) -> None:
    if not world.close_books(BOOKS_CLOSED_UNTIL):
        pytest.skip(f"{world.office.capabilities.vendor} knows no periods")
    with pytest.raises(Rejected) as refusal:
        world.fresh().post_journal(_journal(world, key, day=date(2026, 1, 15)))
    assert refusal.value.code == Refusal.REFUSED
    assert world.fresh().posted_journal(key) is None
    world.fresh().post_journal(_journal(world, key))
    assert _sums(world, key) == _expected(world)
    assert world.count_journals(key) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before each request", "after each request"])
def test_killed_anywhere_a_journal_is_posted_once(world: World, key: str, *, after: bool) -> None:
    for at in range(100):
        try:
            posted = world.killing(at, after=after).post_journal(_journal(world, key))
        except Killed:
            continue
        break
    else:
        pytest.fail("no end to the requests")
    assert at, "nobody was killed"
    assert world.fresh().post_journal(_journal(world, key)) == posted
    assert _sums(world, key) == _expected(world)
    assert world.count_journals(key) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before each request", "after each request"])
def test_killed_anywhere_a_journal_that_changed_is_as_the_last_one_wants(
    world: World, key: str, *, after: bool
) -> None:
    """The next worker knows of more entries: what was posted stays, and what was not becomes what he wants."""
    killed = 0
    for at in range(100):
        one = f"{key}/{at}"
        try:
            world.killing(at, after=after).post_journal(_journal(world, one))
        except Killed:
            killed += 1
        else:
            break
        was_posted = world.office.posted_journal(one) is not None
        world.fresh().post_journal(_journal(world, one, ("-20.00", "5.00", "15.00")))
        wanted = _expected(world) if was_posted else _expected(world, ("-20.00", "5.00", "15.00"))
        assert _sums(world, one) == wanted
        assert world.count_journals(one) == 1
    assert killed, "nobody was killed"
