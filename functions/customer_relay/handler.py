"""Customers stream: what changed becomes events on the bus, errands, links to send, and orders to look at again."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.platform.observability import failures_told
from shared.wiring.customer_relay import relay

_processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return dict(process_partial_response(event, _relay, _processor, context))


@failures_told()
def _relay(record: DynamoDBRecord) -> None:
    change = record.raw_event["dynamodb"]
    relay(change, happened_at=datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC))
