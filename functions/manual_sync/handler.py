"""Invoked by operators: synchronise a shop's stock or orders now, all or some, or tell what that would change."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.wiring.manual_sync import Run, answer

_RESERVE_SECONDS = 120.0
"""A page may take that long when the shop throttles."""


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    run = Run(context.aws_request_id, context.function_name, seconds_left, _RESERVE_SECONDS, seconds_left())
    return answer(event, run)
