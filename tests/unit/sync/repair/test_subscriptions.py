"""A shop's webhooks are kept, made anew or left alone, and two repairs at once leave nothing behind."""

from collections.abc import Iterable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import Rejected, Retry
from shared.storefronts.port import Subscription, SubscriptionState
from shared.sync.repair.subscriptions import Decision, Endpoint, Repaired, decide, repair

BASE = "https://hooks.example/prod"
URL = f"{BASE}/webhooks/aurora/orders"
FORMER = "https://old.example"
TOPICS = ("orders/create", "orders/updated")
ENDPOINT = Endpoint(BASE, "/webhooks/aurora/orders", TOPICS, (FORMER,))
DISABLED, PAUSED = SubscriptionState.DISABLED, SubscriptionState.PAUSED


class Desk:
    """A shop's webhooks; topics in `refuses` cannot be made, and what is in `fails` happens at so many calls."""

    def __init__(self, found: Iterable[Subscription] = (), *, refuses: Iterable[str] = ()) -> None:
        self.kept = {each.id: each for each in found}
        self.refuses = frozenset(refuses)
        self.secrets: list[str] = []
        self.dies_after: int | None = None
        self._ids = count(1000)

    def list(self) -> tuple[Subscription, ...]:
        return tuple(self.kept.values())

    def create(self, topic: str, url: str, secret: str) -> Subscription:
        self._die()
        if topic in self.refuses:
            raise Rejected("subscription_refused", "no")
        made = Subscription(str(next(self._ids)), topic, url)
        self.kept[made.id] = made
        self.secrets.append(secret)
        return made

    def delete(self, subscription_id: str) -> None:
        self._die()
        self.kept.pop(subscription_id, None)

    def repair(self) -> Repaired:
        return repair(self, ENDPOINT, lambda: "s3")

    def _die(self) -> None:
        if self.dies_after is not None:
            self.dies_after -= 1
            if self.dies_after < 0:
                raise Retry("storefront_unreachable", "gone")


def whole() -> list[Subscription]:
    return [Subscription(str(number), topic, URL) for number, topic in enumerate(TOPICS, 1)]


def test_what_is_in_order_is_kept_and_no_secret_is_asked_for() -> None:
    desk = Desk(whole())

    def no_secret() -> str:
        raise AssertionError

    assert repair(desk, ENDPOINT, no_secret) == Repaired(kept=TOPICS)


def test_what_is_gone_is_made_with_our_secret() -> None:
    desk = Desk()
    assert desk.repair() == Repaired(created=TOPICS)
    assert [(each.topic, each.url) for each in desk.list()] == [(topic, URL) for topic in TOPICS]
    assert desk.secrets == ["s3", "s3"]


def test_one_that_is_disabled_is_made_anew() -> None:
    """Set active again it would keep its count of failures, and fall at the next."""
    disabled = Subscription("7", TOPICS[0], URL, DISABLED)
    desk = Desk([disabled, whole()[1]])
    assert desk.repair() == Repaired(kept=TOPICS[1:], created=TOPICS[:1], removed=1)
    assert "7" not in desk.kept


@pytest.mark.parametrize("url", [f"{FORMER}/webhooks/aurora/orders", f"{BASE}/webhooks/other/orders"])
def test_one_of_ours_that_leads_elsewhere_is_made_anew(url: str) -> None:
    desk = Desk([Subscription("7", TOPICS[0], url), whole()[1]])
    assert desk.repair() == Repaired(kept=TOPICS[1:], created=TOPICS[:1], removed=1)


@pytest.mark.parametrize(
    "stranger",
    [
        Subscription("7", TOPICS[0], "https://shipping.example/hook"),
        Subscription("7", TOPICS[0], "https://test-stack.example/webhooks/aurora/orders"),
        Subscription("7", TOPICS[0], "https://hooks.example/production/webhooks/aurora/orders"),
        Subscription("7", TOPICS[0], "https://hooks.example.evil/prod/webhooks/aurora/orders", DISABLED),
        Subscription("7", "products/update", "https://shipping.example/hook", DISABLED),
        Subscription("7", "customers/create", f"{BASE}/webhooks/aurora/customers"),
        Subscription("7", TOPICS[0], "https://[broken"),
    ],
)
def test_what_is_not_ours_is_left_alone(stranger: Subscription) -> None:
    desk = Desk([stranger])
    assert desk.repair() == Repaired(created=TOPICS)
    assert desk.kept["7"] == stranger


@pytest.mark.parametrize("url", ["https://HOOKS.example:443/prod/webhooks/aurora/orders/", f" {URL}"])
def test_what_makes_no_difference_in_a_url_makes_none(url: str) -> None:
    assert decide(ENDPOINT, [Subscription("1", TOPICS[0], url), whole()[1]]).kept == TOPICS


def test_what_somebody_paused_is_that_persons() -> None:
    desk = Desk([Subscription("1", TOPICS[0], URL, PAUSED), whole()[1]])
    done = desk.repair()
    assert done == Repaired(kept=TOPICS[1:], paused=TOPICS[:1])
    assert done.lost == TOPICS[:1]
    assert "1" in desk.kept


def test_of_several_that_do_the_same_the_oldest_stays() -> None:
    doubles = [Subscription(number, TOPICS[0], URL) for number in ("10", "9", "11")]
    desk = Desk([*doubles, Subscription("2", TOPICS[1], URL)])
    assert desk.repair() == Repaired(kept=TOPICS, removed=2)
    assert desk.kept.keys() == {"9", "2"}


def test_one_that_is_refused_hinders_no_other_and_its_old_one_stays() -> None:
    desk = Desk([Subscription("7", TOPICS[0], URL, DISABLED)], refuses=TOPICS[:1])
    done = desk.repair()
    assert done == Repaired(created=TOPICS[1:], refused=TOPICS[:1], why="subscription_refused")
    assert done.lost == TOPICS[:1]
    assert "7" in desk.kept


def test_without_a_secret_nothing_is_made() -> None:
    def no_secret() -> str:
        raise Rejected("no_secret", "none")

    desk = Desk()
    with pytest.raises(Rejected, match="no_secret"):
        repair(desk, ENDPOINT, no_secret)
    assert desk.kept == {}


URLS = st.sampled_from([URL, f"{FORMER}/webhooks/aurora/orders", "https://shipping.example/hook"])
SHOPS = st.lists(
    st.builds(
        Subscription,
        id=st.integers(1, 999).map(str),
        topic=st.sampled_from([*TOPICS, "products/update"]),
        url=URLS,
        state=st.sampled_from(SubscriptionState),
    ),
    unique_by=lambda each: each.id,
)


@given(SHOPS, st.integers(0, 6))
def test_stopped_anywhere_a_repair_is_finished_by_the_next(found: list[Subscription], calls: int) -> None:
    desk = Desk(found)
    served = {each.topic for each in found if each.url == URL and each.state is SubscriptionState.ACTIVE}
    desk.dies_after = calls
    try:
        desk.repair()
    except Retry:
        now = {each.topic for each in desk.list() if each.url == URL and each.state is SubscriptionState.ACTIVE}
        assert served <= now  # nothing that worked is gone
    desk.dies_after = None
    desk.repair()
    after = decide(ENDPOINT, desk.list())
    assert (after.create, after.remove) == ((), ())
    strangers = [each for each in found if each.url not in (URL, f"{FORMER}/webhooks/aurora/orders")]
    assert set(strangers) <= set(desk.list())


@given(SHOPS)
def test_two_repairs_at_once_leave_doubles_at_most_and_any_two_later_agree(found: list[Subscription]) -> None:
    desk = Desk(found)
    seen = desk.list()
    for _ in range(2):  # both looked before either acted
        decision = decide(ENDPOINT, seen)
        for topic in decision.create:
            desk.create(topic, URL, "s3")
        for each in decision.remove:
            desk.delete(each.id)
    seen = desk.list()
    for _ in range(2):
        for each in decide(ENDPOINT, seen).remove:
            desk.delete(each.id)
    final = decide(ENDPOINT, desk.list())
    assert final == Decision(kept=final.kept, paused=final.paused)
    assert {*final.kept, *final.paused} == set(TOPICS)
