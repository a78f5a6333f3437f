"""The sync table in DynamoDB: one partition for each kind of thing, and for each shop where there are many."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from shared.dynamodb.table import Table, WriteRefused
from shared.inventory.low_stock import StockAlert, StockState
from shared.kernel.clock import as_sortable
from shared.kernel.errors import Conflict, Rejected
from shared.sync.jobs import Job
from shared.sync.tasks import Task

_TASKS = "task"


class JobItem(Model):
    """A job and its lease: partition `job`, sort key its name."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    job: JSONAttribute = JSONAttribute(null=True)
    holder = UnicodeAttribute(null=True)
    held_until = UnicodeAttribute(null=True)

    class Meta:
        table_name = "bound by instance"


class TaskItem(Model):
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    task: JSONAttribute = JSONAttribute()

    class Meta:
        table_name = "bound by instance"


class TaskTable:
    """The task list on DynamoDB."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._table = Table(connection, name, TaskItem)

    def open(self, task: Task) -> None:
        item = TaskItem(_TASKS, task.id, task=task.model_dump(mode="json"))
        try:
            self._table.put(item, TaskItem.pk.does_not_exist())
        except WriteRefused:
            return  # it is on the list already

    def close(self, task_id: str) -> None:
        try:
            self._table.delete((_TASKS, task_id), TaskItem.pk.exists())
        except WriteRefused as error:
            raise Rejected("unknown_task", f"there is no open task {task_id!r}", field="task") from error

    def all(self) -> Iterable[Task]:
        for raw in self._table.query(_TASKS):
            yield Task.stored(TaskItem.from_raw_data(dict(raw)).task)


_ALERTS = "alert"
_NOTICES = "notice/"
_NOTICES_KEPT = timedelta(days=30)


class AlertItem(Model):
    """Partition `alert`, sort key `location/sku`. One partition takes 1,000 changes of stock a second."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    seq = NumberAttribute()
    alert: JSONAttribute = JSONAttribute()

    class Meta:
        table_name = "bound by instance"


class AlertTable:
    """The alert book on DynamoDB."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._table = Table(connection, name, AlertItem)

    def get(self, sku: str, location: str) -> StockAlert | None:
        raw = self._table.get((_ALERTS, f"{location}/{sku}"))
        return StockAlert.stored(AlertItem.from_raw_data(dict(raw)).alert) if raw else None

    def keep(self, alert: StockAlert) -> None:
        self._table.put(_alert_item(alert), AlertItem.pk.does_not_exist() | (AlertItem.seq < alert.seq))

    def told(self, alert: StockAlert, at: datetime) -> None:
        try:
            self._table.put(_alert_item(alert.told(at)), AlertItem.seq == alert.seq)
        except WriteRefused:
            return  # a newer change told it before it was looked at

    def open_alerts(self) -> Iterable[StockAlert]:
        for raw in self._table.query(_ALERTS):
            alert = StockAlert.stored(AlertItem.from_raw_data(dict(raw)).alert)
            if alert.state is not StockState.OK or alert.pending:
                yield alert


def _alert_item(alert: StockAlert) -> AlertItem:
    key = f"{alert.location}/{alert.sku}"
    return AlertItem(_ALERTS, key, seq=alert.seq, alert=alert.model_dump(mode="json"))


class NoticeItem(Model):
    """Partition `notice/` and the notice's key, sort key the channel."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    taken_at = UnicodeAttribute()
    expires_at = NumberAttribute()

    class Meta:
        table_name = "bound by instance"


class NoticeTable:
    """The notice log on DynamoDB."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._table = Table(connection, name, NoticeItem)

    def takers(self, key: str) -> frozenset[str]:
        return frozenset(raw["sk"]["S"] for raw in self._table.query(_NOTICES + key, consistent=True))

    def taken(self, key: str, channel: str, at: datetime) -> None:
        expires = int((at + _NOTICES_KEPT).timestamp())
        self._table.put(NoticeItem(_NOTICES + key, channel, taken_at=as_sortable(at), expires_at=expires))


class JobTable:
    """Jobs and their leases on DynamoDB."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._table = Table(connection, name, JobItem)

    def find(self, name: str) -> Job | None:
        raw = self._table.get((_JOBS, name))
        job = JobItem.from_raw_data(dict(raw)).job if raw else None
        return Job.stored(job) if job else None

    def take(self, name: str, holder: str, *, now: datetime, until: datetime) -> None:
        free = JobItem.holder.does_not_exist() | (JobItem.holder == holder) | (JobItem.held_until <= as_sortable(now))
        actions = [JobItem.holder.set(holder), JobItem.held_until.set(as_sortable(until))]
        try:
            self._table.update((_JOBS, name), actions, free)
        except WriteRefused as error:
            raise Conflict("taken", f"somebody else is at {name}", hint="wait until it is done") from error

    def save(self, job: Job, holder: str) -> None:
        self._keep(job, holder)

    def hand_in(self, job: Job, holder: str) -> None:
        self._keep(job, holder, JobItem.holder.remove())

    def _keep(self, job: Job, holder: str, *also: Action) -> None:
        try:
            kept = JobItem.job.set(job.model_dump(mode="json"))
            self._table.update((_JOBS, job.name), [kept, *also], JobItem.holder == holder)
        except WriteRefused as error:
            raise Conflict("lease_lost", f"somebody else took {job.name} over") from error

    def let_go(self, name: str, holder: str) -> None:
        """A lease on something that is no job, such as one order, leaves nothing behind."""
        try:
            self._table.delete((_JOBS, name), (JobItem.holder == holder) & JobItem.job.does_not_exist())
        except WriteRefused:
            self._keep_job(name, holder)

    def _keep_job(self, name: str, holder: str) -> None:
        try:
            self._table.update((_JOBS, name), [JobItem.holder.remove()], JobItem.holder == holder)
        except WriteRefused:
            return  # it is not ours any more


_JOBS = "job"
