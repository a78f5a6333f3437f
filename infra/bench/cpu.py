"""CPU of one delivery on its two legs, as a ratio to `json.loads` of the same body.

A ratio holds from machine to machine; the microseconds beside it are this machine's. The webhook's leg is what its
handler does between the gateway and the queue: decode, verify, parse strictly, encode the message. The intake's is
from the message to the commit: decode, parse, map, decide; the database is not in it.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from time import process_time
from typing import Any, Final

from infra.bench.bodies import Sample, samples
from infra.bench.memory import empty_desk
from infra.fakes.twins import contents
from shared.kernel.clock import as_sortable, utc_now
from shared.orders.intake import Result, take_in
from shared.platform.http import webhook_request
from shared.storefronts.shopify.signature import authenticate as authenticate_shopify
from shared.storefronts.woocommerce.signature import authenticate as authenticate_woocommerce
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import Ingress
from shared.webhooks.reception import Endpoint, Reception, receive
from shared.wiring.storefront import reader

_INGRESSES: Final[dict[str, Ingress]] = {"shopify": authenticate_shopify, "woocommerce": authenticate_woocommerce}
_ROUNDS: Final = 7
_ROUND_SECONDS: Final = 0.05
_MICRO: Final = 1_000_000


@dataclass(frozen=True)
class CpuCost:
    platform: str
    size: str
    lines: int
    body_bytes: int
    json_loads_us: float
    webhook_us: float
    order_us: float

    @property
    def webhook_ratio(self) -> float:
        return self.webhook_us / self.json_loads_us

    @property
    def order_ratio(self) -> float:
        return self.order_us / self.json_loads_us


def measure() -> list[CpuCost]:
    return [_cost(sample) for sample in samples()]


def _cost(sample: Sample) -> CpuCost:
    reception = _reception(sample)
    event = _gateway_event(sample)
    delivery = receive(sample.vendor.shop, webhook_request(event), reception)
    if not isinstance(delivery, Delivery):
        raise TypeError("the sample is no order")
    message = delivery.to_message()
    return CpuCost(
        platform=sample.vendor.platform,
        size=sample.size,
        lines=len(json.loads(sample.body)["line_items"]),
        body_bytes=len(sample.body),
        json_loads_us=_microseconds(lambda: json.loads(sample.body)),
        webhook_us=_microseconds(lambda: receive(sample.vendor.shop, webhook_request(event), reception)),
        order_us=_microseconds(lambda: _take_in(message)),
    )


def _take_in(message: str) -> None:
    delivery = Delivery.from_message(message)
    outcome = take_in(delivery.shop, reader(delivery.platform)(delivery), empty_desk())
    if outcome.result is not Result.APPLIED:
        raise AssertionError(f"the sample was not applied: {outcome.result}")


def _reception(sample: Sample) -> Reception:
    shop = sample.vendor.shop
    settings = contents().settings["shops"][shop]
    endpoint = Endpoint(shop, settings["platform"], settings["address"])
    secrets = tuple(contents().secrets["webhooks"][shop])
    return Reception(
        endpoints=lambda _shop: endpoint,
        ingress=_INGRESSES.__getitem__,
        secrets=lambda _shop, *, fresh=False: secrets,  # noqa: ARG005 - the shelf's signature
        enqueue=lambda delivery: _discard(delivery.to_message()),
        now=lambda: as_sortable(utc_now()),
    )


def _discard(_message: str) -> None:
    """Where the call to the queue would be."""


def _gateway_event(sample: Sample) -> dict[str, Any]:
    body = b64encode(sample.body).decode("ascii")
    return {"headers": dict(sample.post.request.headers), "isBase64Encoded": True, "body": body}


def _microseconds(work: Callable[[], object]) -> float:
    """CPU time of one call: the least of several rounds, since whatever disturbs only adds."""
    loops = 1
    while (spent := _timed(work, loops)) < _ROUND_SECONDS:
        loops = max(loops * 2, int(loops * _ROUND_SECONDS / max(spent, 1e-6)))
    return min(_timed(work, loops) for _ in range(_ROUNDS)) / loops * _MICRO


def _timed(work: Callable[[], object], loops: int) -> float:
    start = process_time()
    for _ in range(loops):
        work()
    return process_time() - start
