"""Stock stream and daily schedule: tell people once when stock runs low, and each day what is low."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.platform.observability import failures_told
from shared.wiring.low_stock_notification import digest, take_in

_processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if "Records" not in event:  # the schedule's own event
        return digest(event["time"])
    return dict(process_partial_response(event, _take_in, _processor, context))


@failures_told()
def _take_in(record: DynamoDBRecord) -> None:
    change = record.raw_event["dynamodb"]
    take_in(change, happened_at=datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC))
