"""Put together what fetches a shop's orders again."""

from shared.kernel.clock import utc_now
from shared.platform.aws_http import AwsService
from shared.platform.configuration import settings
from shared.platform.ingress_queue import IngressQueue
from shared.sync.order_pull import OrderPull
from shared.wiring.storefront import reader
from shared.wiring.storefront_client import client
from shared.wiring.tables import order_records


def order_pull(shop: str) -> OrderPull:
    """By today's settings, or `Rejected` with code `unknown_shop`."""
    connected = settings().shop(shop)
    return OrderPull(
        shop=shop,
        platform=connected.platform,
        client=client(shop, connected),
        reader=reader(connected.platform),
        book=order_records(),
        enqueue=IngressQueue(AwsService("sqs"), AwsService("s3"), "ORDERS_QUEUE_URL"),
        clock=utc_now,
    )
