"""What WeChat Pay sends, in the shape that its documents and public repositories show. All of it is made up; the keys
are made when they are first asked for and sign nothing but samples."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509 import CertificateBuilder, Name, NameAttribute
from cryptography.x509.oid import NameOID

from shared.payments.wechatpay.mapping import ZONE
from shared.payments.wechatpay.resource import sealed
from shared.payments.wechatpay.signature import signed_headers
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import WebhookRequest

Json = dict[str, Any]

MERCHANT_ID = "1900000001"
TRANSACTION_ID = "4200000000202611230000000001"
REFUND_ID = "50300000002026112300000000001"
API_KEY = "0123456789abcdef0123456789abcdef"
PUBLIC_KEY_ID = "PUB_KEY_ID_0119000000012026112300000000000001"
SIGNED_AT = datetime(2026, 11, 23, 9, 2, 11, tzinfo=UTC)
RECEIVED_AT = "2026-11-23T09:02:12.000000000Z"

_TRADE = """
交易时间 公众账号ID 商户号 特约商户号 设备号 微信订单号 商户订单号 用户标识 交易类型 交易状态 付款银行 货币种类
应结订单金额 代金券金额 微信退款单号 商户退款单号 退款金额 充值券退款金额 退款类型 退款状态 商品名称 商户数据包
手续费 费率 订单金额 申请退款金额 费率备注
"""
_FLOW = """
记账时间 微信支付业务单号 资金流水单号 业务名称 业务类型 收支类型 收支金额(元) 账户结余(元)
资金变更提交申请人 备注 业务凭证号
"""
TRADE_COLUMNS = _TRADE.split()
FLOW_COLUMNS = _FLOW.split()
_TRADE_TOTALS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
_FLOW_TOTALS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"


class Keys(NamedTuple):
    private: str
    public: str
    certificate: str
    serial: str
    """Of the certificate, in upper-case hexadecimal."""


@cache
def keys(name: str = "wechat") -> Keys:
    """The same pair for the same name, as long as the process lives."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:19], "big") | 1 << 151
    called = Name([NameAttribute(NameOID.COMMON_NAME, "Tenpay.com Root CA (made up)")])
    certificate = (
        CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(number)
        .not_valid_before(SIGNED_AT - timedelta(days=1000))
        .not_valid_after(SIGNED_AT + timedelta(days=825))
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    pem = certificate.public_bytes(Encoding.PEM)
    return Keys(private.decode("ascii"), public.decode("ascii"), pem.decode("ascii"), f"{number:X}")


def secrets() -> tuple[str, ...]:
    """An account's webhook secrets: the platform's certificate, its public key under an id, and the API v3 key."""
    pair = keys()
    return (f"{pair.serial} {pair.certificate}", f"{PUBLIC_KEY_ID} {pair.public}", f"APIv3 {API_KEY}")


def transaction(**overrides: Any) -> Json:
    return {
        "mchid": MERCHANT_ID,
        "appid": "wx0000000000000001",
        "out_trade_no": "A1001",
        "transaction_id": TRANSACTION_ID,
        "trade_type": "JSAPI",
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "bank_type": "OTHERS",
        "attach": "aurora/5001",
        "success_time": "2026-11-23T17:02:10+08:00",
        "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
        "amount": {"total": 3580, "payer_total": 3380, "currency": "CNY", "payer_currency": "CNY"},
    } | overrides


def refund(**overrides: Any) -> Json:
    return {
        "mchid": MERCHANT_ID,
        "out_trade_no": "A1001",
        "transaction_id": TRANSACTION_ID,
        "out_refund_no": "R-1",
        "refund_id": REFUND_ID,
        "refund_status": "SUCCESS",
        "success_time": "2026-11-23T18:00:00+08:00",
        "user_received_account": "招商银行信用卡0403",
        "amount": {"total": 3580, "refund": 500, "payer_total": 3380, "payer_refund": 480},
    } | overrides


def notification(
    inside: Json | None = None, *, event: str = "TRANSACTION.SUCCESS", key: str = API_KEY, **overrides: Any
) -> Json:
    """A notification's body as an object, with `inside` encrypted."""
    kind = "refund" if event.startswith("REFUND.") else "transaction"
    if inside is None:
        inside = refund() if kind == "refund" else transaction()
    content = json.dumps(inside, ensure_ascii=False).encode("utf-8")
    resource = sealed(content, key.encode("ascii"), nonce="fdasflkja484", associated_data=kind)
    return {
        "id": "EV-2026112309021100000001",
        "create_time": "2026-11-23T17:02:11+08:00",
        "resource_type": "encrypt-resource",
        "event_type": event,
        "summary": "支付成功",
        "resource": {"original_type": kind, **resource},
    } | overrides


def encode(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def request(body: Json | bytes | None = None, *, serial: str | None = None, at: datetime = SIGNED_AT) -> WebhookRequest:
    """Signed under the certificate's serial, or under another name."""
    raw = body if isinstance(body, bytes) else encode(notification() if body is None else body)
    pair = keys()
    headers = signed_headers(
        raw, private_key=pair.private, serial=serial or pair.serial, at=at.timestamp(), nonce="c5ac7061fccab6bf"
    )
    return WebhookRequest(headers, raw)


def delivery(body: Json, *, account: str = "wechat-cn") -> Delivery:
    return Delivery(account, "wechatpay", str(body.get("event_type")), RECEIVED_AT, encode(body))


def trade_row(**cells: str) -> dict[str, str]:
    """A sale in the trade bill."""
    return {
        **dict.fromkeys(TRADE_COLUMNS, ""),
        "交易时间": "2026-11-23 17:02:10",
        "公众账号ID": "wx0000000000000001",
        "商户号": MERCHANT_ID,
        "特约商户号": "0",
        "微信订单号": TRANSACTION_ID,
        "商户订单号": "A1001",
        "用户标识": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
        "交易类型": "JSAPI",
        "交易状态": "SUCCESS",
        "付款银行": "OTHERS",
        "货币种类": "CNY",
        "应结订单金额": "35.80",
        "代金券金额": "0.00",
        "微信退款单号": "0",
        "商户退款单号": "0",
        "退款金额": "0.00",
        "充值券退款金额": "0.00",
        "商品名称": "蓝色马克杯, 含加急, for Zoë",
        "商户数据包": "aurora/5001",
        "手续费": "0.21480",
        "费率": "0.60%",
        "订单金额": "35.80",
        "申请退款金额": "0.00",
    } | cells


def refund_row(**cells: str) -> dict[str, str]:
    return trade_row(
        **{
            "交易时间": "2026-11-23 18:00:00",
            "交易状态": "REFUND",
            "应结订单金额": "0.00",
            "微信退款单号": REFUND_ID,
            "商户退款单号": "R-1",
            "退款金额": "5.00",
            "退款类型": "ORIGINAL",
            "退款状态": "SUCCESS",
            "手续费": "-0.03000",
            "订单金额": "0.00",
            "申请退款金额": "5.00",
            **cells,
        }
    )


def flow_row(**cells: str) -> dict[str, str]:
    """A sale in the balance's bill."""
    return {
        **dict.fromkeys(FLOW_COLUMNS, ""),
        "记账时间": "2026-11-23 17:02:10",
        "微信支付业务单号": TRANSACTION_ID,
        "资金流水单号": TRANSACTION_ID,
        "业务名称": "交易",
        "业务类型": "交易",
        "收支类型": "收入",
        "收支金额(元)": "35.80",
        "账户结余(元)": "1035.80",
        "资金变更提交申请人": "system",
        "备注": "for Zoë Ünal",
        "业务凭证号": "A1001",
    } | cells


def trade_bill(rows: Iterable[Mapping[str, str]]) -> bytes:
    return _bill(TRADE_COLUMNS, rows, _TRADE_TOTALS)


def flow_bill(rows: Iterable[Mapping[str, str]]) -> bytes:
    return _bill(FLOW_COLUMNS, rows, _FLOW_TOTALS)


def local_text(moment: datetime) -> str:
    return f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"


def yuan(fen: int) -> str:
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def _bill(columns: list[str], rows: Iterable[Mapping[str, str]], totals: str) -> bytes:
    table = [",".join(f"`{row[name]}" for name in columns) for row in rows]
    figures = ",".join([f"`{len(table)}", *["`0.00"] * totals.count(",")])
    return ("\n".join([",".join(columns), *table, totals, figures]) + "\n").encode("utf-8")
