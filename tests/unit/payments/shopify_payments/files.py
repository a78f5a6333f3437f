"""Exports of the shapes that shops make, made up; and the same movements as the API tells them."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from shared.payments.port import AccountContext

ACCOUNT = AccountContext("shopify-eu", currency="EUR")
SMALL = ("Transaction Date", "Type", "Order", "Payout Status", "Payout Date", "Amount", "Fee", "Net")
FULL = (
    *("Transaction Date", "Type", "Order", "Card Brand", "Card Source", "Payout Status", "Payout Date", "Payout ID"),
    *("Available On", "Amount", "Fee", "Net", "Checkout", "Payment Method Name", "Presentment Amount"),
    *("Presentment Currency", "Currency", "VAT", "Business Entity Name"),
)


class Row(NamedTuple):
    at: str
    """`2026-11-03 10:00:00 +0100`."""
    type: str
    amount: str
    net: str
    order: str = ""
    payout: str = ""
    currency: str = "EUR"
    presentment: str = ""
    presentment_currency: str = ""

    def cells(self) -> dict[str, str]:
        fee = str(abs(Decimal(self.amount.strip("$")) - Decimal(self.net.strip("$"))))
        return {
            "Transaction Date": self.at,
            "Type": self.type,
            "Order": self.order,
            "Card Brand": "visa",
            "Payout ID": self.payout,
            "Payout Status": "paid" if self.payout else "pending",
            "Payout Date": "2026-11-05",
            "Available On": "2026/11/5",
            "Amount": self.amount,
            "Fee": fee,
            "Net": self.net,
            "Checkout": "#990" if self.order else "",
            "Presentment Amount": self.presentment,
            "Presentment Currency": self.presentment_currency,
            "Currency": self.currency,
            "VAT": "0.00",
        }


def export(rows: Iterable[Row], columns: tuple[str, ...] = FULL) -> bytes:
    lines = [",".join(columns)]
    lines += [",".join(f'"{row.cells().get(column, "")}"' for column in columns) for row in rows]
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()
