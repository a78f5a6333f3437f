"""Stock stream and daily schedule: tell people once when stock runs low, and each day what is low."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.platform.in_order import in_order
from shared.wiring.low_stock_notification import digest, take_in


def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    if "Records" not in event:  # the schedule's own event
        return digest(event["time"])
    return in_order(event["Records"], lambda change, at: take_in(change, happened_at=at))
