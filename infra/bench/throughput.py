"""Orders per second through the whole local stack over HTTP, and what each order puts on the queue."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

from infra.bench.bodies import SKUS, VENDORS
from infra.demo.shops import Post
from infra.demo.stage import Stage
from infra.fakes.twins import contents, twins
from infra.local.stack import LocalStack, Options

LINES: Final = 3
_FIRST_ORDER: Final = 10_001


@dataclass(frozen=True)
class Throughput:
    orders: int
    accepted_seconds: float
    """From the first request until the last was answered."""
    drained_seconds: float
    """From the first request until every queue and stream was quiet."""
    messages: int
    """Messages that went through the queue; one that was delivered again counts once."""
    message_bytes: int

    @property
    def orders_per_second(self) -> float:
        return self.orders / self.drained_seconds

    @property
    def accepted_per_second(self) -> float:
        return self.orders / self.accepted_seconds

    @property
    def messages_per_order(self) -> float:
        return self.messages / self.orders

    @property
    def bytes_per_order(self) -> float:
        return self.message_bytes / self.orders


class NotAllArrived(Exception):
    """Deliveries were refused, or orders are missing: there is nothing to measure."""


def measure(orders: int) -> Throughput:
    """Send so many signed orders of three lines from both vendors at once, and wait until all is done."""
    with twins() as shops, LocalStack(Options(contents=contents(), environment=shops.environment)) as stack:
        stage = Stage.on(stack, shops)
        for sku in SKUS:
            stage.count_in(sku, 10 * orders)
        _warm_up(stage)
        before = _archived(stack)
        posts = list(_posts(orders))
        start = perf_counter()
        answers = stage.deliver_at_once(posts)
        accepted = perf_counter() - start
        stage.settle()
        drained = perf_counter() - start
        _require_all(stage, posts, answers)
        sizes = [size for name, size in _archived(stack).items() if name not in before]
    return Throughput(orders, accepted, drained, len(sizes), sum(sizes))


def _posts(orders: int) -> Iterator[Post]:
    for number in range(orders):
        yield VENDORS[number % len(VENDORS)].of_lines(_FIRST_ORDER + number, LINES)


def _warm_up(stage: Stage) -> None:
    """Cold starts are measured elsewhere."""
    stage.deliver_at_once([vendor.of_lines(9001 + number, 1) for vendor in VENDORS for number in range(10)])
    stage.settle()


def _require_all(stage: Stage, posts: list[Post], answers: list[int]) -> None:
    refused = [status for status in answers if status != 200]  # noqa: PLR2004 - HTTP OK
    not_ready = [post.order_id for post in posts if stage.order(post.shop, post.order_id).status != "ready"]
    if refused or not_ready:
        raise NotAllArrived(f"{len(refused)} deliveries were refused, {len(not_ready)} orders are not ready")


def _archived(stack: LocalStack) -> dict[str, int]:
    """Each message's bytes by its id, from the archive that the intake keeps of every batch."""
    bucket = stack.deployment.archive
    s3 = stack.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return dict(message for page in pages for message in _messages(page, s3))


def _messages(page: Any, s3: Any) -> Iterator[tuple[str, int]]:
    for item in page.get("Contents", ()):
        packed = s3.get_object(Bucket=page["Name"], Key=item["Key"])["Body"].read()
        for line in gzip.decompress(packed).decode("utf-8").splitlines():
            message = json.loads(line)
            yield message["message_id"], len(message["body"].encode("utf-8"))
