"""Schedule: find orders whose webhooks never came, mend the shops' webhooks, and notice when a shop falls silent."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.wiring.order_repair import repair_all

_RESERVE_MILLISECONDS = 60_000
"""A page's last fetch may take that long, and the hints for the rest of it, when the shop is slow."""


def lambda_handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, dict[str, str]]:
    return repair_all(
        lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS, run=context.aws_request_id
    )
