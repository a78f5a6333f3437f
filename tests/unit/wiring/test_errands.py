"""Errands run each by itself: what fails for now is put back, what is refused waits for a person."""

from collections.abc import Iterable
from typing import Any

import pytest

from shared.kernel.clock import utc_now
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.orders.errands import Office, Reason
from shared.platform.errand_queue import MOST_ATTEMPTS, AnErrand, CountErrand, OrderErrand, delay_of, parse
from shared.wiring import errands as runner
from tests.builders.orders import NOON
from tests.fakes.sync import FakeJobs


def errand(order_id: str = "1", **fields: Any) -> OrderErrand:
    return OrderErrand(shop="aurora", order_id=order_id, **fields)


class Surroundings:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.jobs = FakeJobs()
        self.sent: list[tuple[AnErrand, Office]] = []
        self.dead: list[str] = []
        self.ran: list[AnErrand] = []
        self.trouble: dict[str, Exception] = {}
        replacements: dict[str, Any] = {
            "job_table": lambda: self.jobs,
            "send": self.send,
            "count": lambda *_, **__: None,
            "aws": self,
        }
        for name, replacement in replacements.items():
            monkeypatch.setattr(runner, name, replacement)
        monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", "https://queue.example/dead")

    def sqs(self) -> "Surroundings":
        return self

    def send_message(self, **message: Any) -> None:
        self.dead.append(message["MessageBody"])

    def send(self, errands: Iterable[AnErrand], office: Office) -> None:
        self.sent += [(one, office) for one in errands]

    def run(self, *errands: AnErrand | str, has_time: bool = True) -> list[str]:
        bodies = [one if isinstance(one, str) else one.model_dump_json() for one in errands]
        records = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
        return runner.run_batch(records, self._run, Office.BACKOFFICE, holder="run-1", has_time=lambda: has_time)

    def _run(self, one: AnErrand) -> str:
        self.ran.append(one)
        if isinstance(one, OrderErrand) and one.order_id in self.trouble:
            raise self.trouble[one.order_id]
        return "done"


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    return Surroundings(monkeypatch)


def test_the_same_order_twice_in_a_batch_is_looked_at_once(around: Surroundings) -> None:
    assert around.run(errand(), errand("2"), errand(reasons=(Reason.RELEASED,))) == []
    assert [one.order_id for one in around.ran if isinstance(one, OrderErrand)] == ["1", "2"]
    assert around.jobs.leases == {}


@pytest.mark.parametrize("trouble", [Retry("backoffice_unreachable", "x"), Conflict("changed_meanwhile", "x")])
def test_what_fails_for_now_is_put_back_alone(around: Surroundings, trouble: Exception) -> None:
    around.trouble["1"] = trouble
    around.run(errand(attempt=3), errand("2"))
    assert around.sent == [(errand(attempt=4), Office.BACKOFFICE)]
    assert around.jobs.leases == {}


def test_a_write_of_unknown_outcome_is_given_a_minute_to_show(around: Surroundings) -> None:
    around.trouble["1"] = Retry("storefront_outcome_unknown", "x")
    around.run(errand(), errand("2"))
    ((put_back, _),) = around.sent
    assert 60 <= delay_of(put_back) <= 120


def test_what_is_refused_waits_for_a_person_and_not_on_the_queue(around: Surroundings) -> None:
    around.trouble["1"] = Rejected("unmapped_tax", "no tax")
    assert around.run(errand(), errand("2")) == []
    assert (around.sent, around.dead, len(around.ran)) == ([], [], 2)


def test_an_order_that_somebody_works_on_is_left_alone(around: Surroundings) -> None:
    around.jobs.leases["backoffice/aurora/1"] = ("run-0", utc_now() + runner.LEASE)
    around.run(errand())
    assert around.ran == []
    assert around.sent == [(errand(attempt=1), Office.BACKOFFICE)]


def test_what_there_is_no_time_for_is_put_back_as_it_is(around: Surroundings) -> None:
    around.run(errand(attempt=2), has_time=False)
    assert around.ran == []
    assert around.sent == [(errand(attempt=2), Office.BACKOFFICE)]


def test_after_days_it_is_set_aside(around: Surroundings) -> None:
    around.trouble["1"] = Retry("backoffice_unreachable", "x")
    around.run(errand(attempt=MOST_ATTEMPTS))
    assert around.sent == []
    assert [parse(body) for body in around.dead] == [errand(attempt=MOST_ATTEMPTS)]


def test_what_is_no_errand_goes_to_the_dead_letter_queue_alone(around: Surroundings) -> None:
    assert around.run("nonsense", errand(), '{"what": "order", "shop": "../x", "order_id": "1"}') == ["0", "2"]
    assert len(around.ran) == 1


def test_pauses_double_up_to_a_quarter_of_an_hour_and_last_three_days() -> None:
    delays = [delay_of(errand(attempt=attempt)) for attempt in range(MOST_ATTEMPTS + 1)]
    assert delays[:5] == [0, 5, 10, 20, 40]
    assert max(delays) == 900
    assert sum(delays) > 3 * 86400 * 0.9


def test_a_count_is_an_errand_of_its_own(around: Surroundings) -> None:
    count = CountErrand(backoffice="erp", location="main", sku="MUG", seq=7, on_hand=5, counted_at=NOON)
    around.run(count, count, errand())
    assert around.ran == [count, errand()]
