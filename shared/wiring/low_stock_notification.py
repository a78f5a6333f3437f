"""Put the stock watch together: from a change of a stock line, or the day's schedule, to notices."""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.inventory.low_stock import Crossing
from shared.inventory.reorder import DailyUnits, daily_sales
from shared.inventory.table import MovementTable, is_stock_line, line_of_image
from shared.kernel.clock import parse_time, utc_now
from shared.notifications.low_stock import StockWatch, send_digest, watch
from shared.notifications.port import Notice, Notifier
from shared.platform import notices
from shared.platform.configuration import settings
from shared.platform.observability import count, logger
from shared.platform.settings import ChatChannel, Settings
from shared.sync.table import AlertTable, NoticeTable
from shared.wiring.tables import connection, stock_table, task_table


def take_in(change: Mapping[str, Any], *, happened_at: datetime) -> None:
    """Take in one stream record of the stock table. The same record again repeats nothing that all channels took.

    Raises:
        Retry, Conflict: the stream delivers the record again.
    """
    if "NewImage" not in change or not is_stock_line(change["Keys"]):
        return
    crossing = watch(line_of_image(change["NewImage"]), _stock_watch(), at=happened_at)
    if crossing is not None:
        _report(crossing)


def digest(time: str) -> dict[str, int]:
    """Send the digest of the day that the schedule's time falls on (UTC). Returns how many lines it `listed`.

    Raises:
        Retry: some channel failed in passing; called again, the digest reaches that one only.
    """
    listed = send_digest(_stock_watch(), day=f"{parse_time(time):%Y-%m-%d}")
    logger().info("stock digest", extra={"listed": listed})
    return {"listed": listed}


def _report(crossing: Crossing) -> None:
    logger().info(
        "stock crossed",
        extra={"kind": crossing.kind.value, "sku": crossing.sku, "location": crossing.location, "seq": crossing.seq},
    )
    count("StockCrossed", kind=crossing.kind.value)


def _stock_watch() -> StockWatch:
    chosen = settings()
    table = os.environ["SYNC_TABLE"]
    return StockWatch(
        alerts=AlertTable(connection(), table),
        notices=NoticeTable(connection(), table),
        tasks=task_table(),
        stock=stock_table(),
        sales=_Ledger(MovementTable(connection(), os.environ["MOVEMENTS_TABLE"])),
        rules=chosen.planning,
        notifiers=_notifiers(chosen),
        set_aside=notices.set_aside,
        language=chosen.notifications.language,
        location_names={name: location.name for name, location in chosen.locations.items()},
        clock=utc_now,
    )


def _notifiers(chosen: Settings) -> dict[str, Notifier]:
    """The channels by the names under which the notice log knows them."""
    channels = chosen.notifications
    notifiers: dict[str, Notifier] = {}
    if channels.email is not None:
        from shared.platform.email import EmailNotifier  # noqa: PLC0415 - load only what is used

        notifiers["email"] = EmailNotifier(channels.email.sender, channels.email.recipients)
    if channels.topic_arn is not None:
        notifiers["topic"] = notices.TopicNotifier(channels.topic_arn)
    return notifiers | {f"{chat.kind}:{chat.secret}": _LazyChat(chat) for chat in channels.chats}


class _LazyChat:
    """A chat whose client is loaded when there is something to say: httpx costs 135 ms, and few changes cross."""

    def __init__(self, chat: ChatChannel) -> None:
        self._chat = chat

    def send(self, notice: Notice) -> None:
        from shared.wiring.chat_client import notifier  # noqa: PLC0415

        notifier(self._chat).send(notice)


class _Ledger:
    """Sales as the ledger of movements tells them."""

    def __init__(self, movements: MovementTable) -> None:
        self._movements = movements

    def daily_units(self, sku: str, location: str, days: int) -> DailyUnits:
        return daily_sales(self._movements.of(sku, location), today=utc_now().date(), days=days)
