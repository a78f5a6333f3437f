"""The chart of accounts: what each account of the ledger is for. Standard library only, for the settings name roles and
every function reads settings.
"""

from enum import StrEnum


class Role(StrEnum):
    """What an account of the ledger is for. With its `of` and the currency it names one account."""

    RECEIVABLE = "receivable"
    """What buyers owe, by shop."""
    CLEARING = "clearing"
    """What a payment account holds for the merchant."""
    RESERVE = "reserve"
    """The part of it that the provider keeps back."""
    IN_TRANSIT = "in_transit"
    """Paid out by a payment account, not yet at the bank."""
    BANK = "bank"
    DISPUTED = "disputed"
    """Taken by a dispute that is not decided: a receivable against the provider, by payment account."""
    SUSPENSE = "suspense"
    """Money that came or went and that nothing explains yet, by payment account or bank."""
    INVENTORY = "inventory"
    SALES = "sales"
    SHIPPING = "shipping"
    SURCHARGES = "surcharges"
    """Fees, duties and adjustments that buyers pay."""
    TIPS = "tips"
    RETURNS = "returns"
    """What was sold and is credited: goods, shipping, goodwill."""
    TAX = "tax"
    """Owed to a jurisdiction: its dimensions say which, and at what rate."""
    GIFT_CARDS = "gift_cards"
    """Owed to bearers of gift cards and store credit."""
    FEES = "fees"
    """What providers keep, by payment account."""
    DISPUTE_LOSSES = "dispute_losses"
    COST_OF_SALES = "cost_of_sales"
    WRITE_OFF = "write_off"
    ROUNDING = "rounding"
    EXCHANGE = "exchange"
    """Between two currencies: what went out of one and into the other. Its balance, valued, is the gain or loss."""
    OPENING = "opening"
    """What was there when these books began."""


class Class(StrEnum):
    """The five kinds of accounts."""

    ASSETS = "assets"
    LIABILITIES = "liabilities"
    INCOME = "income"
    EXPENSES = "expenses"
    EQUITY = "equity"


CLASS_OF = {
    Role.RECEIVABLE: Class.ASSETS,
    Role.CLEARING: Class.ASSETS,
    Role.RESERVE: Class.ASSETS,
    Role.IN_TRANSIT: Class.ASSETS,
    Role.BANK: Class.ASSETS,
    Role.DISPUTED: Class.ASSETS,
    Role.SUSPENSE: Class.LIABILITIES,
    Role.INVENTORY: Class.ASSETS,
    Role.SALES: Class.INCOME,
    Role.SHIPPING: Class.INCOME,
    Role.SURCHARGES: Class.INCOME,
    Role.TIPS: Class.INCOME,
    Role.RETURNS: Class.INCOME,
    Role.TAX: Class.LIABILITIES,
    Role.GIFT_CARDS: Class.LIABILITIES,
    Role.FEES: Class.EXPENSES,
    Role.DISPUTE_LOSSES: Class.EXPENSES,
    Role.COST_OF_SALES: Class.EXPENSES,
    Role.WRITE_OFF: Class.EXPENSES,
    Role.ROUNDING: Class.EXPENSES,
    Role.EXCHANGE: Class.EQUITY,
    Role.OPENING: Class.EQUITY,
}
