"""The Odoo that is not there as a world of the contract suite: always, beside a real one."""

from collections.abc import Iterator
from contextlib import contextmanager

from infra.fakes.odoo import DATABASE, OUR_KEY, STAFF_KEY, WAREHOUSE, FakeOdoo
from shared.backoffices.odoo.backoffice import TransportName
from shared.kernel.clock import utc_now
from tests.contract.backoffices.odoo_company import Address, OdooWorld


def unavailable() -> str | None:
    return None


@contextmanager
def world(transport: TransportName = "json2", generation: int = 19) -> Iterator[OdooWorld]:
    server = FakeOdoo(utc_now, generation=generation).serve()
    url = f"http://127.0.0.1:{server.port}"
    memo = "ref" if generation == 17 else "memo"
    lock = "fiscalyear_lock_date" if generation == 17 else "user_fiscalyear_lock_date"
    address = Address(url, DATABASE, WAREHOUSE, OUR_KEY, STAFF_KEY, memo, lock)
    made = OdooWorld(address, transport)
    try:
        yield made
    finally:
        made.close()
        server.close()
