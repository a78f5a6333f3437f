"""`POST /webhooks/{account}/payments`: verify, queue, answer. Nothing else happens here."""

from typing import Any

from shared.wiring.payment_webhooks import answer_provider, payment_reception


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return answer_provider(event, payment_reception())
