"""`GET /track/{token}`: the page on which a buyer follows an order."""

from typing import Any

from shared.wiring.order_tracking import answer


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return answer(event)
