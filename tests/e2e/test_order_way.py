"""An order's whole way over HTTP: delivered twenty times with its siblings, in any order, by sixteen senders."""

import random
from concurrent.futures import ThreadPoolExecutor

from infra.samples import shopify
from tests.e2e.conftest import SECRETS, SHOPS, Deployed

MUG = shopify.Shop().line(1, sku="MUG", quantity=3)


def test_many_deliveries_make_one_order(deployed: Deployed) -> None:
    deployed.count_in("MUG", 10)
    accounts = [
        shopify.Shop().order(MUG | {"current_quantity": units, "fulfillable_quantity": units}, updated_at=moment)
        for units, moment in ((3, "2026-11-23T10:00:00Z"), (1, "2026-11-23T10:00:05Z"), (2, "2026-11-23T10:00:09Z"))
    ]
    requests = [
        shopify.signed_request(shopify.encode(body), secret=SECRETS["aurora"], address=SHOPS["aurora"][1])
        for body in accounts
    ] * 20
    random.Random(11).shuffle(requests)  # noqa: S311 - a repeatable shuffle
    with ThreadPoolExecutor(16) as senders:
        answers = list(senders.map(lambda r: deployed.post("aurora", r.body, dict(r.headers)).status_code, requests))
    assert set(answers) == {200}
    deployed.stack.drain()
    kept = deployed.order("aurora", shopify.ORDER_ID)
    assert kept is not None
    assert kept.version.updated_at == "2026-11-23T10:00:09.000000000Z"
    assert [line.allocated for line in kept.lines] == [{"main": 2}]
    level = deployed.stock.read(["MUG"])["MUG"]["main"]
    assert (level.on_hand, level.reserved, level.available) == (10, 2, 8)
    assert deployed.set_aside() == []
    assert deployed.waiting() == 0
