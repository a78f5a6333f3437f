"""Order bodies of both vendors to measure with: a small one, and one of 15 KB, which is a large real order's size."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from infra.demo.shops import Post, aurora, aurora_line, borealis, borealis_line

LARGE: Final = 15 * 1024
PLATFORMS: Final = {"aurora": "shopify", "borealis": "woocommerce"}
SKUS: Final = ("MUG", "CAP", "SOCKS")


@dataclass(frozen=True)
class Vendor:
    """How orders of one shop are made."""

    shop: str
    order: Callable[..., Post]
    line: Callable[..., dict[str, Any]]

    @property
    def platform(self) -> str:
        return PLATFORMS[self.shop]

    def of_lines(self, order_id: int, count: int, **overrides: Any) -> Post:
        """An order of so many lines. The first three are of the SKUs that are in stock."""
        lines = [self.line(_sku(number), id=number + 1) for number in range(count)]
        return self.order(order_id, *lines, **overrides)


VENDORS: Final = (Vendor("aurora", aurora, aurora_line), Vendor("borealis", borealis, borealis_line))


@dataclass(frozen=True)
class Sample:
    vendor: Vendor
    size: str
    post: Post

    @property
    def body(self) -> bytes:
        return self.post.request.body


def samples() -> Iterator[Sample]:
    for vendor in VENDORS:
        yield Sample(vendor, "small", vendor.of_lines(5001, 1))
        yield Sample(vendor, "15 KB", _grown(vendor))


def _grown(vendor: Vendor) -> Post:
    lines = 1
    while len((post := vendor.of_lines(5002, lines)).request.body) < LARGE:
        lines += 1
    return post


def _sku(number: int) -> str:
    return SKUS[number] if number < len(SKUS) else f"SKU-{number}"
