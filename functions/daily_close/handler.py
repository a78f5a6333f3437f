"""Schedule, or an operator's invocation: close the days that tie out, and say what the next one lacks."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.wiring.daily_close import answer

_RESERVE_MILLISECONDS = 120_000
"""The reports of one day take some seconds, a slow back office a minute."""


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return answer(event, lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS)
