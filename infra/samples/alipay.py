"""What Alipay sends, in the shape that its documents and public repositories show. All of it is made up; the keys are
made when they are first asked for and sign nothing but samples."""

import base64
import io
import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from shared.payments.alipay.signature import ZONE, request_headers, signed_form
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import WebhookRequest

APP_ID = "2021000000000001"
SELLER_ID = "2088000000000001"
TRADE_NO = "2026112322001400000000000001"
BUYER = "Zoë Ünal (zoe@example.test)"
RECEIVED_AT = "2026-11-23T09:02:11.000000000Z"

_TRADE = """
支付宝交易号 商户订单号 业务类型 商品名称 创建时间 完成时间 门店编号 门店名称 操作员 终端号 对方账户
订单金额（元） 商家实收（元） 支付宝红包（元） 集分宝（元） 支付宝优惠（元） 商家优惠（元） 券核销金额（元） 券名称
商家红包消费金额（元） 卡消费金额（元） 退款批次号/请求号 服务费（元） 分润（元） 备注
"""
_FLOW = """
账务流水号 业务流水号 商户订单号 商品名称 发生时间 对方账号
收入金额（+元） 支出金额（-元） 账户余额（元） 交易渠道 业务类型 备注
"""
TRADE_COLUMNS = _TRADE.split()
FLOW_COLUMNS = _FLOW.split()


class Keys(NamedTuple):
    """One pair, as Alipay's key tool shows it: base64 without a frame; and as PEM."""

    private: str
    public: str
    private_pem: str
    public_pem: str


@cache
def keys(name: str = "alipay") -> Keys:
    """The same pair for the same name, as long as the process lives."""
    del name
    key = generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key()

    def private(encoding: Encoding) -> bytes:
        return key.private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption())

    def shown(encoding: Encoding) -> bytes:
        return public.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)

    return Keys(
        base64.b64encode(private(Encoding.DER)).decode("ascii"),
        base64.b64encode(shown(Encoding.DER)).decode("ascii"),
        private(Encoding.PEM).decode("ascii"),
        shown(Encoding.PEM).decode("ascii"),
    )


def notification(**overrides: str | None) -> dict[str, str]:
    """The fields of a paid trade's notification; None takes one away."""
    fields: dict[str, str | None] = {
        "notify_type": "trade_status_sync",
        "notify_id": "2026112300222170211000000000000001",
        "notify_time": "2026-11-23 17:02:11",
        "charset": "utf-8",
        "version": "1.0",
        "app_id": APP_ID,
        "auth_app_id": APP_ID,
        "seller_id": SELLER_ID,
        "trade_no": TRADE_NO,
        "out_trade_no": "A1001",
        "trade_status": "TRADE_SUCCESS",
        "subject": "蓝色马克杯 & co.",
        "body": "aurora/5001",
        "total_amount": "35.80",
        "receipt_amount": "35.80",
        "invoice_amount": "35.80",
        "buyer_pay_amount": "35.80",
        "point_amount": "0.00",
        "buyer_id": "2088000000000999",
        "buyer_logon_id": "zoe@example.test",
        "fund_bill_list": '[{"amount":"35.80","fundChannel":"ALIPAYACCOUNT"}]',
        "gmt_create": "2026-11-23 17:01:50",
        "gmt_payment": "2026-11-23 17:02:10",
    }
    return {name: value for name, value in {**fields, **overrides}.items() if value is not None}


def request(fields: Mapping[str, str] | None = None, *, private_key: str | None = None) -> WebhookRequest:
    fields = notification() if fields is None else fields
    charset = fields.get("charset", "utf-8")
    body = signed_form(fields, private_key or keys().private, charset=charset)
    return WebhookRequest(request_headers(body, charset=charset), body)


def delivery(fields: Mapping[str, str] | None = None, *, account: str = "alipay-cn") -> Delivery:
    return Delivery(account, "alipay", "trade_success", RECEIVED_AT, request(fields).body)


def trade_row(**cells: str) -> dict[str, str]:
    """A sale in the trade bill."""
    return {
        **dict.fromkeys(TRADE_COLUMNS, ""),
        "支付宝交易号": TRADE_NO + "\t",
        "商户订单号": "A1001\t",
        "业务类型": "交易",
        "商品名称": "蓝色马克杯",
        "创建时间": "2026-11-23 17:01:50",
        "完成时间": "2026-11-23 17:02:10",
        "对方账户": BUYER,
        "订单金额（元）": "35.80",
        "商家实收（元）": "35.80",
        "支付宝红包（元）": "0.00",
        "商家优惠（元）": "0.00",
        "服务费（元）": "-0.21",
        "分润（元）": "0.00",
    } | cells


def flow_row(**cells: str) -> dict[str, str]:
    """A sale in the balance's bill."""
    return {
        **dict.fromkeys(FLOW_COLUMNS, ""),
        "账务流水号": "90000000000001\t",
        "业务流水号": TRADE_NO + "\t",
        "商户订单号": "A1001\t",
        "商品名称": "蓝色马克杯",
        "发生时间": "2026-11-23 17:02:10",
        "对方账号": BUYER,
        "收入金额（+元）": "35.80",
        "支出金额（-元）": "0.00",
        "账户余额（元）": "1035.80",
        "交易渠道": "支付宝",
        "业务类型": "在线支付",
    } | cells


def trade_bill(rows: Iterable[Mapping[str, str]]) -> bytes:
    return _bill("业务明细", TRADE_COLUMNS, rows)


def flow_bill(rows: Iterable[Mapping[str, str]]) -> bytes:
    return _bill("账务明细", FLOW_COLUMNS, rows)


def packed(files: Mapping[str, bytes]) -> bytes:
    """A zip as Alipay makes it, the summary first."""
    packed_to = io.BytesIO()
    with zipfile.ZipFile(packed_to, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 24, 9, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return packed_to.getvalue()


def packed_bill(bill: bytes, *, title: str = "业务明细") -> bytes:
    summary = f"#支付宝{title}汇总\r\n类型,笔数,金额\r\n合计,1,35.80\r\n".encode("gb18030")
    return packed({f"{SELLER_ID}_20261123_{title}(汇总).csv": summary, f"{SELLER_ID}_20261123_{title}.csv": bill})


def local_text(moment: datetime) -> str:
    return f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"


def yuan(fen: int) -> str:
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def _bill(title: str, columns: list[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    table = [",".join(row[name] for name in columns) for row in rows]
    lines = [
        f"#支付宝{title}查询",
        f"#账号：[{SELLER_ID}0156]",
        "#起始日期：[2026年11月23日 00:00:00]   终止日期：[2026年11月24日 00:00:00]",
        f"#-----------------------------------------{title}列表----------------------------------------",
        ",".join(columns),
        *table,
        f"#-----------------------------------------{title}列表结束------------------------------------",
        f"#合计：{len(table)}笔",
        "#导出时间：[2026年11月24日 09:00:00]",
    ]
    return ("\r\n".join(lines) + "\r\n").encode("gb18030")
