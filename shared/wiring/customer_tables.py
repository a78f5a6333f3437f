"""The table of customers, and the key that they are found with."""

import os

from shared.customers.marks import Marker
from shared.customers.table import CustomerTable
from shared.platform.configuration import settings
from shared.platform.privacy_keys import privacy_keys
from shared.wiring.tables import connection


def customer_table() -> CustomerTable:
    return CustomerTable(connection(), os.environ["CUSTOMERS_TABLE"], profile_days=settings().privacy.profile_days)


def marker() -> Marker:
    return Marker(privacy_keys().marker_key)
