"""Buyers' queue: each errand has one buyer told of one order, or asked to prove an address."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.wiring.notify import run_all

_ONE_ERRAND_MILLISECONDS = 20_000
"""A handful of letters."""


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """What fails is put back by itself; an error here means that the whole batch comes again."""
    unreadable = run_all(
        event["Records"],
        run=context.aws_request_id,
        has_time=lambda: context.get_remaining_time_in_millis() > _ONE_ERRAND_MILLISECONDS,
    )
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in unreadable]}
