"""Schedule, or an operator's invocation: read the feeds of payment providers, then reconcile."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.wiring.payment_reconciliation import answer

_RESERVE_MILLISECONDS = 400_000
"""Left for the reconciliation itself: a month of 40,000 orders takes about a minute."""


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return answer(
        event,
        lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS,
        run=context.aws_request_id,
    )
