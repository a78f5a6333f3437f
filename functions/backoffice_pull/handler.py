"""Schedule: ask every back office what changed, and go on next time where time ran out."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.wiring.backoffice_pull import look_at_all

_RESERVE_MILLISECONDS = 60_000
"""A page may take that long when the back office is slow."""


def lambda_handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, str]:
    return look_at_all(
        lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS, run=context.aws_request_id
    )
