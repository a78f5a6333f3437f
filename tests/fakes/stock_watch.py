"""What the stock watch needs, in memory."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from shared.inventory.low_stock import PlanningRules, StockAlert, StockState
from shared.inventory.models import CountedLevel, StockLine, StockView
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.notifications.low_stock import StockWatch
from shared.notifications.port import Language, Notice, Notifier
from shared.sync.tasks import Task
from tests.builders.orders import NOON


class FakeAlertBook:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], StockAlert] = {}

    def get(self, sku: str, location: str) -> StockAlert | None:
        return self.kept.get((sku, location))

    def keep(self, alert: StockAlert) -> None:
        found = self.kept.get((alert.sku, alert.location))
        if found is not None and found.seq >= alert.seq:
            raise Conflict("changed_meanwhile", "not newer")
        self.kept[alert.sku, alert.location] = alert

    def told(self, alert: StockAlert, at: datetime) -> None:
        if self.kept[alert.sku, alert.location].seq == alert.seq:
            self.kept[alert.sku, alert.location] = alert.told(at)

    def open_alerts(self) -> Iterable[StockAlert]:
        return [alert for alert in self.kept.values() if alert.state is not StockState.OK or alert.pending]


class FakeNoticeLog:
    def __init__(self) -> None:
        self.taken_by: dict[str, set[str]] = {}

    def takers(self, key: str) -> frozenset[str]:
        return frozenset(self.taken_by.get(key, ()))

    def taken(self, key: str, channel: str, at: datetime) -> None:  # noqa: ARG002 - the port's
        self.taken_by.setdefault(key, set()).add(channel)


class FakeNotifier:
    """Collects notices; fails as often as it is told to."""

    def __init__(self, *failures: Retry | Rejected) -> None:
        self.sent: list[Notice] = []
        self.failures = list(failures)

    def send(self, notice: Notice) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(notice)


class FakeTaskList:
    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}

    def open(self, task: Task) -> None:
        self.tasks.setdefault(task.id, task)

    def close(self, task_id: str) -> None:
        if self.tasks.pop(task_id, None) is None:
            raise Rejected("unknown_task", "there is no such task", field="task")

    def all(self) -> Iterable[Task]:
        return list(self.tasks.values())


class FakeStock:
    """Lines as a test puts them; nobody counts here."""

    def __init__(self) -> None:
        self.lines: dict[str, dict[str, StockLine]] = {}

    def put(self, line: StockLine) -> StockLine:
        self.lines.setdefault(line.sku, {})[line.location] = line
        return line

    def read(self, skus: Iterable[str]) -> StockView:
        return {sku: self.lines[sku] for sku in skus if sku in self.lines}

    def set_level(self, level: CountedLevel) -> StockLine:
        raise NotImplementedError


class FakeSales:
    def __init__(self, by_sku: Mapping[str, Sequence[int]] | None = None) -> None:
        self.by_sku = by_sku or {}

    def daily_units(self, sku: str, location: str, days: int) -> Sequence[int]:  # noqa: ARG002 - the port's
        return self.by_sku.get(sku, ())[-days:]


class Watching:
    """A stock watch whose parts a test can look at."""

    def __init__(
        self,
        notifiers: Mapping[str, Notifier],
        rules: PlanningRules | None = None,
        sales: Mapping[str, Sequence[int]] | None = None,
        language: Language = "en",
    ) -> None:
        self.alerts = FakeAlertBook()
        self.notices = FakeNoticeLog()
        self.tasks = FakeTaskList()
        self.stock = FakeStock()
        self.set_aside: list[tuple[str, str, str]] = []
        self.watch = StockWatch(
            alerts=self.alerts,
            notices=self.notices,
            tasks=self.tasks,
            stock=self.stock,
            sales=FakeSales(sales),
            rules=rules or PlanningRules(),
            notifiers=notifiers,
            set_aside=self._set_aside,
            language=language,
            location_names={"main": "Main warehouse"},
            clock=lambda: NOON,
        )

    def _set_aside(self, notice: Notice, channel: str, error: Rejected) -> None:
        self.set_aside.append((notice.key, channel, error.code))
