"""Where an order stands, in one line for people, and the one command that moves it on. Pure.

The record says how far the order desk is, the mirror how far the back office, and what was told how far the storefront.
Staff read these words, so they come in English and Simplified Chinese.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from shared.kernel.identifiers import OrderKey
from shared.kernel.model import Canonical
from shared.orders.decision import STOREFRONT
from shared.orders.errands import Office
from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.orders.models import PaymentState
from shared.orders.record import HoldReason, OrderRecord
from shared.sync.backoffice.mirror import Mirror, Stop, Told
from shared.sync.stop_words import Language, advice_on


class StageName(StrEnum):
    RECEIVED = "received"
    HELD = "held"
    APPROVED = "approved"
    STOPPED = "stopped"
    """A person must act."""
    RETRIED = "retried"
    """It is stopped for now, and tried again by itself."""
    WAITING = "waiting"
    """The back office has not got it yet."""
    NOT_RECORDED = "not_recorded"
    """The back office was asked, and nothing was to be recorded: a rehearsal, or a test order."""
    DRAFT = "draft"
    SHORT = "short"
    """Released, and some units wait for stock."""
    READY = "ready"
    """Released, in a shop whose orders are recorded nowhere else."""
    PACKING = "packing"
    CONFIRMED = "confirmed"
    """In the back office, with nothing to ship."""
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    UNTOLD = "untold"
    """Shipped, and the storefront does not know all of it yet."""
    TOLD = "told"
    DELIVERED = "delivered"
    RETURNED = "returned"
    COMPLETED = "completed"
    UNPAID = "unpaid"
    """Nothing to ship, and not paid."""
    CANCELLED = "cancelled"
    CANCELLING = "cancelling"
    """Cancelled here, and still open in the back office."""


class OrderStage(Canonical):
    """The stage of one order."""

    name: StageName
    text: str
    command: str | None = None
    """What moves it on; None where nothing has to be done, or nothing can be done here."""


_TEXTS: Final[Mapping[StageName, Mapping[Language, str]]] = {
    StageName.RECEIVED: {"en": "received", "zh": "已接收"},
    StageName.HELD: {"en": "held for review: {holds}", "zh": "待审核：{holds}"},
    StageName.APPROVED: {"en": "approved, waiting for release", "zh": "已通过审核，待放行"},
    StageName.STOPPED: {"en": "stopped: {reason}", "zh": "已停止：{reason}"},
    StageName.RETRIED: {"en": "tried again by itself: {reason}", "zh": "自动重试中：{reason}"},
    StageName.WAITING: {"en": "waiting for the back office", "zh": "等待后台系统"},
    StageName.NOT_RECORDED: {"en": "not recorded in the back office", "zh": "未录入后台系统"},
    StageName.DRAFT: {"en": "draft in the back office ({sale})", "zh": "后台系统中为草稿（{sale}）"},
    StageName.SHORT: {"en": "waiting for stock", "zh": "等待库存"},
    StageName.READY: {"en": "ready to ship", "zh": "可以发货"},
    StageName.PACKING: {"en": "being packed ({sale})", "zh": "备货中（{sale}）"},
    StageName.CONFIRMED: {"en": "confirmed in the back office ({sale})", "zh": "后台系统已确认（{sale}）"},
    StageName.PARTLY_SHIPPED: {"en": "partly shipped ({shipped} of {units})", "zh": "部分发货（{shipped}/{units}）"},
    StageName.SHIPPED: {"en": "shipped", "zh": "已发货"},
    StageName.UNTOLD: {"en": "shipped, storefront not told yet", "zh": "已发货，尚未通知店铺"},
    StageName.TOLD: {"en": "shipped, storefront told", "zh": "已发货，已通知店铺"},
    StageName.DELIVERED: {"en": "delivered", "zh": "已送达"},
    StageName.RETURNED: {"en": "returned", "zh": "已退货"},
    StageName.COMPLETED: {"en": "completed", "zh": "已完成"},
    StageName.UNPAID: {"en": "nothing to ship, payment {payment}", "zh": "无需发货，付款状态：{payment}"},
    StageName.CANCELLED: {"en": "cancelled", "zh": "已取消"},
    StageName.CANCELLING: {
        "en": "cancelled, still open in the back office ({sale})",
        "zh": "已取消，后台系统中仍未关闭（{sale}）",
    },
}
_HOLDS_ZH: Final[Mapping[HoldReason, str]] = {
    HoldReason.STOCK_SHORT: "库存不足",
    HoldReason.PAYMENT_PENDING: "待付款",
    HoldReason.PAYMENT_LOST: "付款失效",
    HoldReason.ADDRESS_INCOMPLETE: "地址不完整",
    HoldReason.TOTAL_MISMATCH: "金额不符",
    HoldReason.POSSIBLE_DUPLICATE: "疑似重复",
    HoldReason.TEST_ORDER: "测试订单",
    HoldReason.RISK_HIGH: "高风险",
    HoldReason.RISK_TOTAL: "金额超限",
    HoldReason.RISK_QUANTITY: "数量超限",
    HoldReason.RISK_COUNTRY: "国家受限",
    HoldReason.RISK_ADDRESSES_DIFFER: "地址不一致",
    HoldReason.REFUND_UNCLEAR: "退款不明确",
    HoldReason.CUSTOMER_UNVERIFIED: "待买家验证邮箱",
    HoldReason.CUSTOMER_REJECTED: "买家未通过验证",
}
"""In English a hold goes by its code, as in `orders list`."""
_PAYMENTS_ZH: Final[Mapping[PaymentState, str]] = {
    PaymentState.PENDING: "待付款",
    PaymentState.AUTHORISED: "已授权",
    PaymentState.PARTIALLY_PAID: "部分付款",
    PaymentState.PAID: "已付款",
    PaymentState.PARTIALLY_REFUNDED: "部分退款",
    PaymentState.REFUNDED: "已退款",
    PaymentState.VOIDED: "已作废",
    PaymentState.DISPUTED: "有争议",
}

_ALL_LEFT: Final = frozenset({FulfilmentState.SHIPPED, FulfilmentState.DELIVERED, FulfilmentState.RETURNED})
_BEFORE_RELEASE: Final[Mapping[ReviewState, StageName]] = {
    ReviewState.RECEIVED: StageName.RECEIVED,
    ReviewState.HELD: StageName.HELD,
    ReviewState.APPROVED: StageName.APPROVED,
}


def stage_of(
    record: OrderRecord,
    mirror: Mirror | None,
    told: Told | None,
    *,
    connected: bool = True,
    tells: bool = True,
    language: Language = "en",
) -> OrderStage:
    """The stage of an order.

    `connected`: its shop has a back office. `tells`: its shop is told of shipments.
    """
    stop = stop_of(mirror, told)
    if stop is not None:
        name = StageName.RETRIED if stop.passing else StageName.STOPPED
    else:
        name = _name(record, mirror, told, connected=connected, tells=tells)
    words = _TEXTS[name][language].format(
        holds=_holds(record, language),
        reason=advice_on(stop, language).reason if stop else "",
        sale=(mirror.sale_number or mirror.sale_id or "-") if mirror else "-",
        shipped=_shipped(record),
        units=_shipped(record) + sum(line.open for line in record.lines),
        payment=_PAYMENTS_ZH[record.payment] if language == "zh" else record.payment.value,
    )
    return OrderStage(name=name, text=words, command=_command(name, record, stop))


def stop_of(mirror: Mirror | None, told: Told | None) -> Stop | None:
    """What stops the order: what a person must mend before what passes, the back office before the storefront."""
    stops = [side.stop for side in (mirror, told) if side and side.stop]
    return min(stops, key=lambda stop: stop.passing, default=None)


def command_for(stop: Stop, key: OrderKey) -> str | None:
    """The command that moves a stopped order on, once what its advice says is done."""
    if stop.passing:
        return None
    if stop.code == "cancelled_in_backoffice":
        return f"storebridge orders cancel {key}"
    return f"storebridge desk retry {key}"


def behind(
    record: OrderRecord, mirror: Mirror | None, told: Told | None, *, connected: bool = True, tells: bool = True
) -> tuple[Office, ...]:
    """The offices that have not been brought to the record as it is now.

    An order whose errand is still on its way is among them, and now and then one for which there is nothing to do: a
    change of allocation alone, say. To look at such an order again changes nothing.
    """
    return tuple(_behind(record, mirror, told, connected=connected, tells=tells))


def _behind(
    record: OrderRecord, mirror: Mirror | None, told: Told | None, *, connected: bool, tells: bool
) -> Iterator[Office]:
    if connected and (mirror is None or (mirror.pushed < record.revision and not _by_push_itself(record, mirror))):
        yield Office.BACKOFFICE
    if tells and (_is_untold(record, told) or _is_cancellation_untold(record, told)):
        yield Office.STOREFRONT


def _by_push_itself(record: OrderRecord, mirror: Mirror) -> bool:
    """Whether the record is newer only because the last push noted a consignment; the last one has an errand."""
    partly = record.fulfilment is FulfilmentState.PARTIALLY_SHIPPED
    return partly and record.cause.kind == "dispatch" and mirror.pushed == record.revision - 1


def _is_untold(record: OrderRecord, told: Told | None) -> bool:
    return record.dispatches is not None and record.dispatches != (told.digest if told else None)


def _is_cancellation_untold(record: OrderRecord, told: Told | None) -> bool:
    by_operator = record.review is ReviewState.CANCELLED and record.cancelled_by not in (None, STOREFRONT)
    return by_operator and record.dispatches is None and not (told and told.cancelled)


def _name(record: OrderRecord, mirror: Mirror | None, told: Told | None, *, connected: bool, tells: bool) -> StageName:
    if record.review is ReviewState.CANCELLED:
        is_open = mirror is not None and mirror.state in ("draft", "confirmed") and not _shipped(record)
        return StageName.CANCELLING if is_open else StageName.CANCELLED
    if record.fulfilment in _ALL_LEFT:
        return _after_shipping(record, told, tells=tells)
    if record.fulfilment is FulfilmentState.PARTIALLY_SHIPPED:
        return StageName.PARTLY_SHIPPED
    if record.review is not ReviewState.RELEASED:
        return _BEFORE_RELEASE[record.review]
    if connected:
        return _in_backoffice(record, mirror)
    return _released(record)


def _after_shipping(record: OrderRecord, told: Told | None, *, tells: bool) -> StageName:
    if record.fulfilment is FulfilmentState.RETURNED:
        return StageName.RETURNED
    if told is not None and told.completed:
        return StageName.COMPLETED
    if tells and _is_untold(record, told):
        return StageName.UNTOLD
    if record.fulfilment is FulfilmentState.DELIVERED:
        return StageName.DELIVERED
    return StageName.TOLD if tells and record.dispatches else StageName.SHIPPED


def _in_backoffice(record: OrderRecord, mirror: Mirror | None) -> StageName:
    if mirror is None or not mirror.pushed:
        return StageName.WAITING
    if mirror.sale_id is None:
        return StageName.NOT_RECORDED
    if mirror.state == "draft":
        return StageName.DRAFT
    if record.fulfilment is not FulfilmentState.NOT_REQUIRED:
        return StageName.PACKING
    return _released(record) if mirror.state == "done" else StageName.CONFIRMED


def _released(record: OrderRecord) -> StageName:
    if record.fulfilment is FulfilmentState.NOT_REQUIRED:
        return StageName.COMPLETED if record.payment is PaymentState.PAID else StageName.UNPAID
    return StageName.READY if record.fulfilment is FulfilmentState.ALLOCATED else StageName.SHORT


def _command(name: StageName, record: OrderRecord, stop: Stop | None) -> str | None:
    if stop is not None:
        return command_for(stop, record.key)
    if name in (StageName.HELD, StageName.APPROVED):
        return f"storebridge orders release {record.key}"
    if name in (StageName.WAITING, StageName.DRAFT, StageName.UNTOLD, StageName.CANCELLING):
        return f"storebridge desk retry {record.key}"
    return "storebridge tasks list" if record.unmapped and name is not StageName.CANCELLED else None


def _holds(record: OrderRecord, language: Language) -> str:
    if language == "zh":
        return "、".join(_HOLDS_ZH[hold.reason] for hold in record.holds)
    return ", ".join(hold.reason.value for hold in record.holds)


def _shipped(record: OrderRecord) -> int:
    return sum(sum(line.shipped.values()) for line in record.lines)
