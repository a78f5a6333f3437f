"""Schedule: look again at the orders that wait for stock, payment or a mapping."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.wiring.order_review import review_all

_RESERVE_MILLISECONDS = 10_000


def lambda_handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    return review_all(lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS)
