"""The ledger's own words for staff, in English and Simplified Chinese. Pure."""

from collections.abc import Mapping
from typing import Final

from shared.finance.journal import Class, Role, Topic
from shared.finance.models import DiscrepancyKind
from shared.finance.reports.report import Text

ROLES: Final[Mapping[Role, Text]] = {
    Role.RECEIVABLE: Text("Receivable from buyers", "应收买家款", "receivable"),
    Role.CLEARING: Text("Held by payment provider", "支付平台待结算款", "clearing"),
    Role.RESERVE: Text("Kept back by payment provider", "支付平台保证金", "reserve"),
    Role.IN_TRANSIT: Text("On its way to the bank", "在途资金", "in_transit"),
    Role.BANK: Text("Bank", "银行存款", "bank"),
    Role.DISPUTED: Text("Disputed", "争议款项", "disputed"),
    Role.SUSPENSE: Text("Not yet explained", "待查款项", "suspense"),
    Role.INVENTORY: Text("Inventory", "库存商品", "inventory"),
    Role.SALES: Text("Sales", "销售收入", "sales"),
    Role.SHIPPING: Text("Shipping charged", "运费收入", "shipping"),
    Role.SURCHARGES: Text("Fees and duties charged", "附加费收入", "surcharges"),
    Role.TIPS: Text("Tips", "小费", "tips"),
    Role.RETURNS: Text("Returns and credits", "销售退回", "returns"),
    Role.TAX: Text("Tax owed", "应交税费", "tax"),
    Role.GIFT_CARDS: Text("Gift cards outstanding", "礼品卡负债", "gift_cards"),
    Role.FEES: Text("Payment fees", "支付手续费", "fees"),
    Role.DISPUTE_LOSSES: Text("Lost disputes", "争议损失", "dispute_losses"),
    Role.COST_OF_SALES: Text("Cost of sales", "销售成本", "cost_of_sales"),
    Role.WRITE_OFF: Text("Written off", "核销损益", "write_off"),
    Role.ROUNDING: Text("Rounding", "尾差", "rounding"),
    Role.EXCHANGE: Text("Currency exchange", "货币兑换", "exchange"),
    Role.OPENING: Text("Opening balance", "期初余额", "opening"),
}
CLASSES: Final[Mapping[Class, Text]] = {
    Class.ASSETS: Text("Assets", "资产", "assets"),
    Class.LIABILITIES: Text("Liabilities", "负债", "liabilities"),
    Class.INCOME: Text("Income", "收入", "income"),
    Class.EXPENSES: Text("Expenses", "费用", "expenses"),
    Class.EQUITY: Text("Equity", "权益", "equity"),
}
TOPICS: Final[Mapping[Topic, Text]] = {
    Topic.SALE: Text("Sales", "销售", "sale"),
    Topic.REDUCTION: Text("Refunds and reductions", "退款与减额", "reduction"),
    Topic.RECEIPT: Text("Buyers' payments", "买家付款", "receipt"),
    Topic.GIFT_CARD: Text("Gift cards", "礼品卡", "gift_card"),
    Topic.FEE: Text("Fees", "手续费", "fee"),
    Topic.DISPUTE: Text("Disputes", "争议", "dispute"),
    Topic.RESERVE: Text("Reserves", "保证金", "reserve"),
    Topic.PAYOUT: Text("Payouts", "提现", "payout"),
    Topic.BANK: Text("Bank", "银行", "bank"),
    Topic.CONVERSION: Text("Currency exchange", "货币兑换", "conversion"),
    Topic.ADJUSTMENT: Text("Adjustments", "调整", "adjustment"),
    Topic.COST: Text("Cost of sales", "销售成本", "cost"),
    Topic.WRITE_OFF: Text("Write-offs", "核销", "write_off"),
    Topic.ROUNDING: Text("Rounding", "尾差", "rounding"),
    Topic.OPENING: Text("Opening", "期初", "opening"),
}
KINDS: Final[Mapping[DiscrepancyKind, Text]] = {
    DiscrepancyKind.MISSING_PAYMENT: Text("Payment missing", "缺少付款", "missing_payment"),
    DiscrepancyKind.MISSING_ORDER: Text("Order missing", "缺少订单", "missing_order"),
    DiscrepancyKind.AMOUNT_MISMATCH: Text("Amounts differ", "金额不符", "amount_mismatch"),
    DiscrepancyKind.CURRENCY_MISMATCH: Text("Currencies differ", "币种不符", "currency_mismatch"),
    DiscrepancyKind.PARTIAL_CAPTURE: Text("Captured in part", "部分扣款", "partial_capture"),
    DiscrepancyKind.DUPLICATE_CAPTURE: Text("Captured twice", "重复扣款", "duplicate_capture"),
    DiscrepancyKind.REFUND_NOT_IN_STORE: Text("Refund unknown to the shop", "店铺无此退款", "refund_not_in_store"),
    DiscrepancyKind.REFUND_NOT_AT_PROCESSOR: Text(
        "Refund unknown to the provider", "平台无此退款", "refund_not_at_processor"
    ),
    DiscrepancyKind.FEE_VARIANCE: Text("Fee is not as agreed", "手续费与合同不符", "fee_variance"),
    DiscrepancyKind.DISPUTE_OPEN: Text("Dispute open", "争议处理中", "dispute_open"),
    DiscrepancyKind.DISPUTE_WON: Text("Dispute won", "争议胜诉", "dispute_won"),
    DiscrepancyKind.DISPUTE_LOST: Text("Dispute lost", "争议败诉", "dispute_lost"),
    DiscrepancyKind.PAYOUT_SHORT: Text("Payout too low", "提现金额偏少", "payout_short"),
    DiscrepancyKind.PAYOUT_OVER: Text("Payout too high", "提现金额偏多", "payout_over"),
    DiscrepancyKind.RESERVE_HELD: Text("Reserve held", "保证金被扣留", "reserve_held"),
    DiscrepancyKind.BANK_MISSING: Text("Not arrived at the bank", "银行未到账", "bank_missing"),
    DiscrepancyKind.LATE_SETTLEMENT: Text("Settlement late", "结算逾期", "late_settlement"),
    DiscrepancyKind.UNKNOWN_TXN: Text("Unknown kind of movement", "未知交易类型", "unknown_txn"),
    DiscrepancyKind.FX_ROUNDING: Text("Exchange rounding", "汇兑尾差", "fx_rounding"),
    DiscrepancyKind.UNEXPECTED_BANK_LINE: Text("Bank line unexplained", "银行流水不明", "unexpected_bank_line"),
    DiscrepancyKind.RESTATED: Text("Stated in two ways", "数据前后不一致", "restated"),
}

UNKNOWN: Final = Text("not told", "未注明", "")
EARLIER: Final = Text("from before, not told one by one", "此前余额（未逐笔列出）", "earlier")
UNTIED: Final = Text("not tied to an order", "未关联订单", "untied")
NO_PRODUCT: Final = Text("not tied to a product", "未关联商品", "no_product")


def name_of(role: Role | str, of: str | None) -> Text:
    """An account of the ledger as staff know it: `Held by payment provider · stripe-eu`."""
    words = ROLES[Role(role)]
    return words if of is None else Text(f"{words.en} · {of}", f"{words.zh} · {of}", f"{words.code}/{of}")
