"""`GET` and `POST /verify/{token}`: the page behind the link that proves an e-mail address."""

from typing import Any

from shared.wiring.customer_verification import answer


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return answer(event)
