"""Schedule: go on with the erasures that people asked for, until time runs out."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.wiring.customer_privacy import work_on_all

_RESERVE_MILLISECONDS = 120_000
"""One page of the archive takes some seconds, a slow back office a minute."""


def lambda_handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, str]:
    return work_on_all(
        lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS, run=context.aws_request_id
    )
