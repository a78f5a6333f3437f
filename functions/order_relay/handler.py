"""Orders stream: what changed becomes events on the bus and tasks for people."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.platform.in_order import in_order
from shared.wiring.order_relay import relay


def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return in_order(event["Records"], lambda change, at: relay(change, happened_at=at))
