"""What Alipay sends: notifications and answers, as far as they are read. Unknown fields are let be.

Amounts are yuan as text. Field names are those of open.alipay.com (`alipay.trade.query`,
`alipay.trade.fastpay.refund.query`, and the notify document), as Alipay's own Java SDK lists them.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from shared.kernel.errors import Rejected
from shared.kernel.model import faults_of

_Model = TypeVar("_Model", bound=BaseModel)


def _blank_to_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


Text = Annotated[str | None, BeforeValidator(_blank_to_none)]


class Lenient(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class Notification(Lenient):
    """`trade_status_sync`: the trade as it is now, told again when its state changes or money is given back."""

    notify_type: Text = None
    notify_time: str
    app_id: Text = None
    seller_id: Text = None
    trade_no: Text = None
    out_trade_no: Text = None
    trade_status: Text = None
    total_amount: Text = None
    refund_fee: Text = None
    """The sum of all refunds of the trade so far, not this one's amount."""
    out_biz_no: Text = None
    """Of a notification about a refund: the refund's request number (`out_request_no`)."""
    gmt_create: Text = None
    gmt_payment: Text = None
    gmt_refund: Text = None
    body: Text = None
    passback_params: Text = None


class Trade(Lenient):
    """The answer of `alipay.trade.query`."""

    trade_no: str
    out_trade_no: Text = None
    trade_status: str
    total_amount: str
    trans_currency: Text = None
    send_pay_date: Text = None
    """When it was paid."""
    body: Text = None
    passback_params: Text = None


class RefundInquiry(Lenient):
    """The answer of `alipay.trade.fastpay.refund.query`: nothing but its code where there is no such refund."""

    trade_no: Text = None
    out_trade_no: Text = None
    out_request_no: Text = None
    refund_amount: Text = None
    refund_status: Text = None
    gmt_refund_pay: Text = None


class BillAddress(Lenient):
    """The answer of `alipay.data.dataservice.bill.downloadurl.query`. The address holds for 30 seconds."""

    bill_download_url: str


def read(model: type[_Model], value: Mapping[str, Any]) -> _Model:
    """Validate what was parsed, or raise `Rejected` naming the first field at fault, never its content."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = faults_of(error)[0]
        raise Rejected(
            "invalid_payload",
            f"{first.kind}: cannot be read as {model.__name__}",
            field=first.field,
            hint="Alipay sends a shape that is not known here",
        ) from error
