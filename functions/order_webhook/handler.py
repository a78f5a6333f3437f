"""`POST /webhooks/{shop}/orders`: verify, queue, answer. Nothing else happens here."""

from typing import Any

from shared.wiring.webhooks import answer, order_reception


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return answer(event, order_reception())
