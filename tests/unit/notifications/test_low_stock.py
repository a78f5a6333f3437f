"""The stock watch: once for each crossing and channel, whatever fails on the way; the digest; purchase requests."""

from datetime import timedelta

import pytest

from shared.inventory.low_stock import PlanningRules, SkuPlanning, StockState
from shared.inventory.models import Cause, StockLine
from shared.kernel.errors import Rejected, Retry
from shared.notifications.low_stock import send_digest, watch
from shared.notifications.port import Language
from tests.builders.orders import NOON
from tests.fakes.stock_watch import FakeNotifier, Watching


def line(available: int, seq: int, sku: str = "MUG", point: int | None = 5) -> StockLine:
    return StockLine(
        sku=sku,
        location="main",
        on_hand=available,
        reserved=0,
        available=available,
        reorder_point=point,
        seq=seq,
        cause=Cause(kind="order", reference="aurora/1#1"),
    )


def see(watching: Watching, change: StockLine) -> None:
    watching.stock.put(change)
    watch(change, watching.watch, at=NOON + timedelta(minutes=change.seq))


def down() -> Retry:
    return Retry("chat_unreachable", "it does not answer")


def gone() -> Rejected:
    return Rejected("chat_refused", "HTTP 404")


def test_a_crossing_reaches_every_channel_once() -> None:
    mail, chat = FakeNotifier(), FakeNotifier()
    watching = Watching({"email": mail, "slack:ops": chat})
    for change in (line(9, 1), line(5, 2), line(5, 2), line(9, 1), line(4, 3), line(5, 2)):
        see(watching, change)
    assert [notice.key for notice in mail.sent] == ["stock/main/MUG/2"]
    assert mail.sent == chat.sent
    assert "MUG" in mail.sent[0].title
    assert "Main warehouse" in mail.sent[0].title


def test_a_failing_channel_stops_no_other_and_is_repeated_alone() -> None:
    chat, mail = FakeNotifier(down(), down()), FakeNotifier()
    watching = Watching({"slack:ops": chat, "email": mail})
    see(watching, line(9, 1))
    for _ in range(2):
        with pytest.raises(Retry, match=r"slack:ops \(chat_unreachable\)"):
            see(watching, line(5, 2))
    assert (len(mail.sent), len(chat.sent)) == (1, 0)
    see(watching, line(5, 2))
    assert chat.sent == mail.sent
    assert watching.alerts.kept["MUG", "main"].pending is None


def test_what_is_untold_is_told_before_a_newer_change_is_looked_at() -> None:
    chat = FakeNotifier(down())
    watching = Watching({"slack:ops": chat})
    see(watching, line(9, 1))
    with pytest.raises(Retry):
        see(watching, line(5, 2))
    see(watching, line(0, 3))
    assert [notice.key for notice in chat.sent] == ["stock/main/MUG/2", "stock/main/MUG/3"]


def test_a_repetition_says_the_same_words() -> None:
    chat, mail = FakeNotifier(down()), FakeNotifier()
    watching = Watching({"slack:ops": chat, "email": mail}, sales={"MUG": [2] * 60})
    see(watching, line(9, 1))
    with pytest.raises(Retry):
        see(watching, line(5, 2))
    see(watching, line(1, 3))
    assert chat.sent[0] == mail.sent[0]


def test_a_channel_that_will_never_take_it_is_set_aside_and_blocks_nothing() -> None:
    chat, mail = FakeNotifier(gone()), FakeNotifier()
    watching = Watching({"slack:ops": chat, "email": mail})
    see(watching, line(9, 1))
    see(watching, line(5, 2))
    see(watching, line(5, 2))
    assert watching.set_aside == [("stock/main/MUG/2", "slack:ops", "chat_refused")]
    assert len(mail.sent) == 1


def test_without_channels_what_happens_is_recorded_all_the_same() -> None:
    watching = Watching({})
    see(watching, line(9, 1))
    see(watching, line(0, 2))
    assert watching.alerts.kept["MUG", "main"].state is StockState.OUT


def test_a_notice_names_cover_and_a_proposal_in_packs() -> None:
    mail = FakeNotifier()
    rules = PlanningRules(skus={"MUG": SkuPlanning(pack_size=12)})
    watching = Watching({"email": mail}, rules, sales={"MUG": [2] * 182})
    see(watching, line(9, 1))
    see(watching, line(5, 2))
    facts = dict(mail.sent[0].facts)
    assert facts["Days of cover"] == "2"
    assert facts["Reorder point"] == "5 units"
    assert facts["Proposed order"] == "60 units"  # 42 for lead and review + 14 - 5, in twelves


def test_a_computed_point_alerts_when_planning_asks_for_it() -> None:
    sales = {"MUG": [2] * 182}
    silent, asked = FakeNotifier(), FakeNotifier()
    for mail, rules in ((silent, PlanningRules()), (asked, PlanningRules(compute_points=True))):
        watching = Watching({"email": mail}, rules, sales=sales)
        for change in (line(80, 1, point=None), line(42, 2, point=None)):
            see(watching, change)
    assert (len(silent.sent), len(asked.sent)) == (0, 1)


def test_a_purchase_request_is_open_once_while_the_line_is_low() -> None:
    watching = Watching({}, PlanningRules(purchase_requests=True))
    see(watching, line(9, 1))
    for change in (line(5, 2), line(5, 2), line(0, 3), line(3, 4)):
        see(watching, change)
    (task,) = watching.tasks.all()
    assert (task.id, task.units) == ("purchase_request/main/MUG", 2)
    assert task.advice == "order 2 units of MUG for main"
    see(watching, line(9, 5))
    assert list(watching.tasks.all()) == []
    see(watching, line(4, 6))
    assert len(list(watching.tasks.all())) == 1


def test_no_purchase_request_unless_planning_asks() -> None:
    watching = Watching({})
    see(watching, line(9, 1))
    see(watching, line(0, 2))
    assert list(watching.tasks.all()) == []


def low_everywhere(watching: Watching) -> None:
    for sku, available in (("A-LOW", 4), ("B-OUT", 0), ("C-FINE", 90), ("D-SOON", 5)):
        see(watching, line(90, 1, sku))
        see(watching, line(available, 2, sku))


def test_the_digest_lists_what_is_low_or_out_the_most_urgent_first() -> None:
    mail = FakeNotifier()
    watching = Watching({"email": mail}, sales={"D-SOON": [5] * 70, "A-LOW": [1] * 70})
    low_everywhere(watching)
    mail.sent.clear()
    assert send_digest(watching.watch, day="2026-11-23") == 3
    (digest,) = mail.sent
    assert digest.title == "Stock to reorder: 1 out of stock, 2 low"
    assert digest.columns == (
        "SKU",
        "Location",
        "State",
        "Available to sell",
        "Days of cover",
        "Proposed order",
        "Since",
    )
    assert digest.rows == (
        ("B-OUT", "Main warehouse", "out of stock", "0", "", "7", "2026-11-23 12:02 UTC"),
        ("D-SOON", "Main warehouse", "low", "5", "1", "135", "2026-11-23 12:02 UTC"),
        ("A-LOW", "Main warehouse", "low", "4", "4", "24", "2026-11-23 12:02 UTC"),
    )


def test_a_digest_is_sent_once_a_day_to_each_channel() -> None:
    mail, chat = FakeNotifier(), FakeNotifier()
    watching = Watching({"slack:ops": chat, "email": mail})
    low_everywhere(watching)
    mail.sent.clear()
    chat.sent.clear()
    chat.failures.append(down())
    with pytest.raises(Retry):
        send_digest(watching.watch, day="2026-11-23")
    send_digest(watching.watch, day="2026-11-23")
    send_digest(watching.watch, day="2026-11-23")
    assert (len(mail.sent), len(chat.sent)) == (1, 1)
    send_digest(watching.watch, day="2026-11-24")
    assert (len(mail.sent), len(chat.sent)) == (2, 2)


def test_an_empty_digest_says_nothing() -> None:
    mail = FakeNotifier()
    watching = Watching({"email": mail})
    see(watching, line(90, 1))
    assert send_digest(watching.watch, day="2026-11-23") == 0
    assert mail.sent == []


def test_a_digest_goes_by_the_lines_as_they_are_now() -> None:
    mail = FakeNotifier()
    watching = Watching({"email": mail})
    low_everywhere(watching)
    mail.sent.clear()
    watching.stock.put(line(50, 9, "B-OUT"))  # its change is still on the way to us
    del watching.stock.lines["D-SOON"]
    assert send_digest(watching.watch, day="2026-11-23") == 1
    assert [row[0] for row in mail.sent[0].rows] == ["A-LOW"]


def test_the_digest_tells_first_what_nobody_could_be_told() -> None:
    mail = FakeNotifier(down())
    watching = Watching({"email": mail})
    see(watching, line(9, 1))
    with pytest.raises(Retry):
        see(watching, line(5, 2))
    send_digest(watching.watch, day="2026-11-23")
    assert [notice.key for notice in mail.sent] == ["stock/main/MUG/2", "digest/2026-11-23"]


@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "Stock to reorder: 1 out of stock, 2 low"), ("zh", "待补货清单：售罄 1 项，偏低 2 项")],
)
def test_the_digest_speaks_the_merchants_language(language: Language, title: str) -> None:
    mail = FakeNotifier()
    watching = Watching({"email": mail}, language=language)
    low_everywhere(watching)
    mail.sent.clear()
    send_digest(watching.watch, day="2026-11-23")
    assert mail.sent[0].title == title
    assert mail.sent[0].language == language
