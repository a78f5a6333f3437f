"""The sync table in DynamoDB. Tasks have the partition `task` and their id as sort key."""

from collections.abc import Iterable

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.models import Model

from shared.dynamodb.table import Table, WriteRefused
from shared.kernel.errors import Rejected
from shared.sync.tasks import Task

_TASKS = "task"


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
            yield Task.model_validate(TaskItem.from_raw_data(dict(raw)).task)
