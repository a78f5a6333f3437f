"""Stock stream: every change becomes a movement in the ledger, and its SKU is looked at in every shop."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.wiring.stock_relay import relay


def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """All or nothing: a batch that fails is halved and delivered again, and doing it twice does no harm."""
    records = [record["dynamodb"] for record in event["Records"]]
    relay([(change, datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC)) for change in records])
