"""`POST /webhooks/{shop}/customers`: registrations, changes of customers, privacy calls. Verify, queue, answer."""

from typing import Any

from shared.wiring.webhooks import answer, registration_reception


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return answer(event, registration_reception())
