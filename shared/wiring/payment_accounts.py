"""What reads the deliveries and files of payment accounts and banks: each vendor's package, loaded when needed."""

from collections.abc import Mapping
from functools import cache

from shared.kernel.errors import Rejected
from shared.payments.port import AccountContext, FileReader, PaymentReader
from shared.platform.aws_http import AwsService
from shared.platform.configuration import settings
from shared.platform.settings import BankSettings, PaymentSettings
from shared.platform.webhook_settings import WebhookSecrets
from shared.sync.finance.recognise import FileKind


def context_of(name: str, account: PaymentSettings) -> AccountContext:
    return AccountContext(name, account.merchant_id, account.currency, account.time_zone)


def bank_context(name: str, bank: BankSettings) -> AccountContext:
    return AccountContext(name, merchant_id=bank.iban, currency=bank.currency)


def reader_of(name: str, account: PaymentSettings) -> PaymentReader:
    """What reads the account's deliveries, or `Rejected` for a vendor that sends none."""
    match account.vendor:
        case "stripe":
            from shared.payments.stripe.mapping import read_payment  # noqa: PLC0415 - load one vendor only

            return read_payment
        case "paypal":
            from shared.payments.paypal.mapping import read_payment as read_paypal  # noqa: PLC0415

            return read_paypal
        case "alipay":
            from shared.payments.alipay.mapping import read_payment as read_alipay  # noqa: PLC0415

            return read_alipay
        case "wechatpay":
            from shared.payments.wechatpay.mapping import reader_by  # noqa: PLC0415

            return reader_by(lambda: _webhook_secrets()(name), lambda: _webhook_secrets()(name, fresh=True))
        case "shopify_payments":
            raise Rejected("no_webhooks", "Shopify tells of its payments when it is asked", field=f"payments.{name}")


def file_readers(account: PaymentSettings) -> Mapping[FileKind, FileReader]:
    """What reads the files of an account, by the kind of file."""
    match account.vendor:
        case "stripe":
            from shared.payments.stripe.files import read_report  # noqa: PLC0415 - load one vendor only

            return {FileKind.STRIPE_REPORT: read_report}
        case "paypal":
            from shared.payments.paypal.files import read_settlement  # noqa: PLC0415

            return {FileKind.PAYPAL_SETTLEMENT: read_settlement}
        case "alipay":
            from shared.payments.alipay.bills import read_bill  # noqa: PLC0415

            return {FileKind.ALIPAY_BILL: read_bill}
        case "wechatpay":
            from shared.payments.wechatpay.bills import read_bill as read_wechat_bill  # noqa: PLC0415

            return {FileKind.WECHAT_BILL: read_wechat_bill}
        case "shopify_payments":
            from shared.payments.shopify_payments.exports import export_reader  # noqa: PLC0415

            return {FileKind.SHOPIFY_EXPORT: export_reader(payouts_by_api=account.api_access)}


def bank_readers(name: str, bank: BankSettings) -> Mapping[FileKind, FileReader]:
    """The same for a bank: of its texts, only what names one of our payment providers is kept whole."""
    from shared.payments.bank.reader import reader_for  # noqa: PLC0415 - few commands read statements

    words = [word for account in settings().payments.values() if account.bank == name for word in account.bank_words]
    readers = {
        FileKind.CAMT_053: reader_for("camt.053", None, words),
        FileKind.MT940: reader_for("mt940", None, words),
    }
    if bank.csv is not None:
        readers[FileKind.BANK_CSV] = reader_for("csv", bank.csv, words)
    return readers


@cache
def _webhook_secrets() -> WebhookSecrets:
    return WebhookSecrets(AwsService("secretsmanager"))
