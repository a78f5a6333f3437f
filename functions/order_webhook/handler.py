"""`POST /webhooks/{shop}/orders`: verify, queue, answer. Nothing else happens here."""

import logging
from typing import Any

from shared.kernel.errors import StorebridgeError
from shared.platform import emf, http
from shared.storefronts.reception import receive
from shared.wiring.order_webhook import reception

_log = logging.getLogger(__name__)


def lambda_handler(event: dict[str, Any], _context: object) -> http.Response:
    shop = event["pathParameters"]["shop"]
    try:
        receive(shop, http.webhook_request(event), reception())
    except StorebridgeError as error:
        _log.warning("webhook refused", extra={"code": error.code, "field": error.field, "reason": error.message})
        emf.count("WebhookRefused", code=error.code)
        return http.refused(error)
    emf.count("WebhookAccepted", function="order_webhook")
    return http.accepted()
