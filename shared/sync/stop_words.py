"""Why an order stopped, in plain words: the reason, what to do about it, and who. English and Simplified Chinese.

One entry for each code that a stop can bear; a test looks for codes without one. The stop's own message is more exact
(it names the line, the tax, the amounts); these words say what it means.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from shared.kernel.model import Canonical
from shared.sync.backoffice.mirror import Stop

Language = Literal["en", "zh"]


class Who(StrEnum):
    """Who has to act."""

    STAFF = "staff"
    """Operations: at the storefront, or in the back office."""
    FINANCE = "finance"
    ENGINEER = "engineer"
    """Whoever keeps settings, credentials and rights."""
    NOBODY = "nobody"
    """It is tried again by itself."""


class Advice(Canonical):
    """What a stop means for people."""

    reason: str
    todo: str
    who: Who
    who_in_words: str


class _Words(NamedTuple):
    reason: str
    todo: str


class _Entry(NamedTuple):
    who: Who
    en: _Words
    zh: _Words


_WAIT_EN: Final = "nothing: it is tried again by itself"
_WAIT_ZH: Final = "无需处理：系统会自动重试"

WHO: Final[Mapping[Who, Mapping[Language, str]]] = {
    Who.STAFF: {"en": "operations", "zh": "运营"},
    Who.FINANCE: {"en": "finance", "zh": "财务"},
    Who.ENGINEER: {"en": "engineer", "zh": "工程师"},
    Who.NOBODY: {"en": "nobody", "zh": "无需人工"},
}


def _passing(en: str, zh: str) -> _Entry:
    return _Entry(Who.NOBODY, _Words(en, _WAIT_EN), _Words(zh, _WAIT_ZH))


ENTRIES: Final[Mapping[str, _Entry]] = {
    # The back office.
    "backoffice_auth": _Entry(
        Who.ENGINEER,
        _Words(
            "the back office refuses our credentials or rights",
            "renew the credentials in the API secret and check the user's rights (storebridge doctor), then retry",
        ),
        _Words("后台系统拒绝了我们的凭证或权限", "更新 API 密钥中的凭证，检查用户权限（storebridge doctor），然后重试"),
    ),
    "backoffice_not_found": _Entry(
        Who.STAFF,
        _Words(
            "something is not in the back office: a product, a tax, a warehouse or a payment method",
            "create it there, or name the right one in the settings, then retry",
        ),
        _Words("后台系统中缺少商品、税种、仓库或付款方式", "在后台系统中创建，或在设置中改用正确的名称，然后重试"),
    ),
    "backoffice_refused": _Entry(
        Who.STAFF,
        _Words("a rule of the back office stands against it", "do there what its message asks for, then retry"),
        _Words("后台系统的业务规则不允许此操作", "按提示在后台系统中处理，然后重试"),
    ),
    "backoffice_bug": _Entry(
        Who.ENGINEER,
        _Words(
            "Storebridge and the back office do not understand each other",
            "report it with the message: it is a fault of this program",
        ),
        _Words("Storebridge 与后台系统之间出现无法识别的应答", "请附上提示信息提交问题：这是本程序的缺陷"),
    ),
    "backoffice_unreachable": _passing("the back office does not answer", "后台系统没有应答"),
    "backoffice_busy": _passing("the back office is busy", "后台系统繁忙"),
    "backoffice_outcome_unknown": _passing(
        "the back office did not say whether it was done", "后台系统没有说明操作是否完成"
    ),
    "cancelled_in_backoffice": _Entry(
        Who.STAFF,
        _Words(
            "the sale is cancelled in the back office, but the order is not",
            "cancel the order here too, or enter the sale by hand in the back office",
        ),
        _Words("销售单已在后台系统中取消，但订单未取消", "在此同样取消订单，或在后台系统中手工录入销售单"),
    ),
    "currency_differs": _Entry(
        Who.ENGINEER,
        _Words(
            "the back office keeps the sale in another currency than the order",
            "have the back office sell in the shop's currency, then retry",
        ),
        _Words("后台系统的销售单币种与订单不同", "请在后台系统中使用店铺币种销售，然后重试"),
    ),
    "invalid_sku": _Entry(
        Who.STAFF,
        _Words("a SKU of the order is too long to be kept", "give the product a shorter SKU at the storefront"),
        _Words("订单中的SKU过长，无法保存", "请在店铺中为商品设置较短的SKU"),
    ),
    "dispatch_withdrawn": _Entry(
        Who.STAFF,
        _Words(
            "a shipment that had left is not shown as sent in the back office any more",
            "restore it in the back office; enter what came back as a return",
        ),
        _Words("已发出的发货单在后台系统中不再显示为已发货", "请在后台系统中恢复该发货单；退回的商品请录为退货"),
    ),
    "invoice_outgrown": _Entry(
        Who.FINANCE,
        _Words(
            "goods were added to the order after it was invoiced",
            "invoice the difference in the back office, then retry",
        ),
        _Words("开票之后订单又增加了商品", "在后台系统中为差额补开发票，然后重试"),
    ),
    "totals_differ": _Entry(
        Who.FINANCE,
        _Words(
            "the back office computes another total than the storefront",
            "compare the taxes in the settings with those of the back office, then retry",
        ),
        _Words("后台系统算出的总额与店铺不一致", "核对设置中的税种与后台系统的税种，然后重试"),
    ),
    # The books.
    "unmapped_tax": _Entry(
        Who.ENGINEER,
        _Words(
            "the settings do not say which tax of the back office this one is",
            "name it under taxes in the settings, then retry",
        ),
        _Words("设置中没有指定该税对应后台系统的哪个税种", "在设置的 taxes 中填写，然后重试"),
    ),
    "missing_sku": _Entry(
        Who.STAFF,
        _Words(
            "a line has no SKU",
            "give the product a SKU at the storefront, or name products.no_sku in the settings, then retry",
        ),
        _Words("订单行没有 SKU", "在店铺中为商品填写 SKU，或在设置中填写 products.no_sku，然后重试"),
    ),
    "total_mismatch": _Entry(
        Who.FINANCE,
        _Words(
            "the order's lines do not come to what the storefront charged",
            "book this order by hand, or mend it at the storefront",
        ),
        _Words("订单各行之和与店铺收取的总额不符", "手工入账，或在店铺中修正订单"),
    ),
    "no_warehouse": _Entry(
        Who.ENGINEER,
        _Words(
            "none of the shop's locations has a warehouse in the back office",
            "name it under warehouses in the settings, then retry",
        ),
        _Words("店铺的库存地点都没有对应的后台仓库", "在设置的 warehouses 中填写，然后重试"),
    ),
    "account_ahead": _passing("a newer account of the order is on its way in", "订单有更新的数据正在处理中"),
    # The storefront.
    "not_shippable": _Entry(
        Who.STAFF,
        _Words("the shop takes no shipment of this order", "look at the order in the shop's admin, then retry"),
        _Words("店铺不接受该订单的发货", "在店铺后台查看订单，处理后重试"),
    ),
    "unknown_order": _Entry(
        Who.STAFF,
        _Words("the order is not there (any more)", "look whether it was deleted at the shop"),
        _Words("找不到该订单", "查看订单是否已在店铺中删除"),
    ),
    "api_access": _Entry(
        Who.ENGINEER,
        _Words(
            "the shop refuses our credentials or scopes",
            "renew the shop's credentials and check their scopes (storebridge doctor), then retry",
        ),
        _Words("店铺拒绝了我们的凭证或权限", "更新店铺凭证并检查权限（storebridge doctor），然后重试"),
    ),
    "no_api_access": _Entry(
        Who.ENGINEER,
        _Words("no API credentials are set", "add them to the API secret, then retry"),
        _Words("没有设置 API 凭证", "在 API 密钥中添加，然后重试"),
    ),
    "api_error": _Entry(
        Who.ENGINEER,
        _Words("the shop's API refuses the call", "check the shop's address and API version, then retry"),
        _Words("店铺 API 拒绝了请求", "检查店铺地址和 API 版本，然后重试"),
    ),
    "invalid_payload": _Entry(
        Who.ENGINEER,
        _Words("the shop's answer cannot be read", "report it with the message: a plugin may have changed its shape"),
        _Words("无法读取店铺的应答", "请附上提示信息提交问题：可能有插件改变了数据格式"),
    ),
    "invalid_order_id": _Entry(
        Who.ENGINEER,
        _Words("the order's number is none of this shop's", "report it with the message"),
        _Words("订单编号不属于该店铺", "请附上提示信息提交问题"),
    ),
    "storefront_unreachable": _passing("the shop does not answer", "店铺没有应答"),
    "storefront_throttled": _passing("the shop asks us to slow down", "店铺要求放慢请求"),
    "storefront_failed": _passing("the shop fails", "店铺出错"),
    "storefront_outcome_unknown": _passing("the shop did not say whether it was done", "店铺没有说明操作是否完成"),
    "order_changed": _passing("the order changed while it was read", "读取时订单发生了变化"),
    # What both stand on.
    "database_busy": _passing("the tables are busy", "数据表繁忙"),
    "database_unreachable": _passing("the tables cannot be reached", "无法访问数据表"),
    "configuration_unreachable": _passing("settings or secrets cannot be read", "无法读取设置或密钥"),
    "bad_configuration": _Entry(
        Who.ENGINEER,
        _Words("the settings are not valid", "mend them (storebridge shops check); it is tried again by itself"),
        _Words("设置无效", "修正设置（storebridge shops check）；系统会自动重试"),
    ),
    "not_read_yet": _passing("settings or secrets are being read", "正在读取设置或密钥"),
    "order_too_large": _Entry(
        Who.ENGINEER,
        _Words("the order is too large to be kept", "report it with the message"),
        _Words("订单过大，无法保存", "请附上提示信息提交问题"),
    ),
    "invalid_money": _Entry(
        Who.ENGINEER,
        _Words("an amount cannot be read", "report it with the message"),
        _Words("金额无法读取", "请附上提示信息提交问题"),
    ),
    "invalid_time": _Entry(
        Who.ENGINEER,
        _Words("a time cannot be read", "report it with the message"),
        _Words("时间无法读取", "请附上提示信息提交问题"),
    ),
    "invalid_json": _Entry(
        Who.ENGINEER,
        _Words("an answer is not JSON", "report it with the message"),
        _Words("应答不是 JSON", "请附上提示信息提交问题"),
    ),
    "json_too_deep": _Entry(
        Who.ENGINEER,
        _Words("an answer is nested too deeply to be read", "report it with the message"),
        _Words("应答嵌套过深，无法读取", "请附上提示信息提交问题"),
    ),
}


def advice_on(stop: Stop, language: Language = "en") -> Advice:
    """What the stop means and what is to be done. A code that nobody has words for is told by its own message."""
    entry = ENTRIES.get(stop.code)
    if entry is None:
        who = Who.NOBODY if stop.passing else Who.STAFF
        waiting = _WAIT_ZH if language == "zh" else _WAIT_EN
        todo = waiting if stop.passing else stop.hint or ""
        return Advice(reason=stop.message, todo=todo, who=who, who_in_words=WHO[who][language])
    words = entry.zh if language == "zh" else entry.en
    return Advice(reason=words.reason, todo=words.todo, who=entry.who, who_in_words=WHO[entry.who][language])
