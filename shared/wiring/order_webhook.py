"""Put the webhook together. Imports nothing beyond the standard library and its own light rooms."""

from functools import cache

from shared.kernel.clock import as_sortable, utc_now
from shared.kernel.errors import Retry
from shared.platform.aws_http import AwsService
from shared.platform.ingress_queue import IngressQueue
from shared.platform.webhook_settings import EndpointDirectory, WebhookSecrets
from shared.storefronts.ingress import Ingress
from shared.storefronts.reception import Reception


@cache
def reception() -> Reception:
    """Made on the first request and kept for the environment's life."""
    return Reception(
        endpoints=EndpointDirectory(AwsService("ssm")),
        ingress=_ingress,
        secrets=WebhookSecrets(AwsService("secretsmanager")),
        enqueue=IngressQueue(AwsService("sqs"), AwsService("s3")),
        now=lambda: as_sortable(utc_now()),
    )


def _ingress(platform: str) -> Ingress:
    """Load one vendor's signature check and no other's."""
    if platform == "shopify":
        from shared.storefronts.shopify.signature import authenticate  # noqa: PLC0415 - cold start

        return authenticate
    if platform == "woocommerce":
        from shared.storefronts.woocommerce.signature import authenticate as authenticate_woocommerce  # noqa: PLC0415

        return authenticate_woocommerce
    raise Retry("bad_configuration", "the settings name a platform that is not known here", field="platform")
