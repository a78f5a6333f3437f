"""Push queue: the levels of changed SKUs, to every shop that sells them. Batched over seconds, so changes coalesce."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.wiring.stock_push import push_all, read_requests

_ONE_SHOP_MILLISECONDS = 250_000
"""A slow shop may take four minutes."""


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """What fails is put back by itself, shop by shop; an error here means that the whole batch comes again."""
    requests, unreadable = read_requests(event["Records"])
    push_all(
        requests,
        run=context.aws_request_id,
        has_time=lambda: context.get_remaining_time_in_millis() > _ONE_SHOP_MILLISECONDS,
    )
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in unreadable]}
