"""Call a person when a shop has fallen silent, or does not send what it should, and call it off when that is over."""

from datetime import datetime

from shared.kernel.clock import as_sortable
from shared.kernel.errors import Rejected
from shared.sync.repair.rules import RepairRules
from shared.sync.repair.silence import News, Silence, judge, news
from shared.sync.repair.subscriptions import Repaired
from shared.sync.repair.watch import Watch, Watches
from shared.sync.tasks import Task, TaskKind, TaskList

_SUBJECT = "orders"


def call_at_silence(shop: str, watches: Watches, tasks: TaskList, rules: RepairRules) -> tuple[News, Silence | None]:
    """Judge the shop as it was when it was last looked at, and open or close its task.

    The task is opened before that is remembered: whoever is killed in between opens the same one again.

    Raises:
        Retry: our tables are out of reach.
        Conflict: another run keeps this shop's watch.
    """
    watch = watches.find(shop)
    if watch is None or watch.listed_until is None:
        return News.NONE, None
    now = watch.listed_until
    silence = _judge(watch, now, rules)
    told = news(watch.silent_since, watch.last_order_at, silence)
    if told is News.ALARM and silence is not None:
        tasks.open(_task(TaskKind.SHOP_SILENT, shop, as_sortable(silence.since), now))
        watches.keep(watch.model_copy(update={"silent_since": silence.since}))
    elif told is News.ALL_CLEAR:
        _close(tasks, _task(TaskKind.SHOP_SILENT, shop, "", now))
        watches.keep(watch.model_copy(update={"silent_since": None}))
    return told, silence


def call_for_subscriptions(shop: str, repaired: Repaired, tasks: TaskList, now: datetime) -> None:
    """Open a task for what the shop does not send after the repair, and close it when all is sent again.

    Raises:
        Retry: our tables are out of reach.
    """
    task = _task(TaskKind.SUBSCRIPTION_LOST, shop, ", ".join(repaired.lost), now)
    if repaired.lost:
        tasks.open(task)
    else:
        _close(tasks, task)


def _judge(watch: Watch, now: datetime, rules: RepairRules) -> Silence | None:
    if not rules.watch_silence or watch.rhythm is None or watch.last_order_at is None:
        return None
    return judge(watch.rhythm, watch.last_order_at, now, rules)


def _task(kind: TaskKind, shop: str, first_seen_in: str, now: datetime) -> Task:
    return Task(kind=kind, shop=shop, subject=_SUBJECT, first_seen_in=first_seen_in, opened_at=now)


def _close(tasks: TaskList, task: Task) -> None:
    try:
        tasks.close(task.id)
    except Rejected as error:
        if error.code != "unknown_task":
            raise
