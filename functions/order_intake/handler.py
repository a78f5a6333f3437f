"""Orders queues: each message is one account of an order; each ends in a transaction, which orders of the same stock
may share, or in the dead-letter queue.
"""

from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.platform.observability import failures_told
from shared.wiring import order_intake

_processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    order_intake.archive(event["Records"])
    process = partial(_process, order_intake.Batch(event["Records"]))
    return dict(process_partial_response(event, process, _processor, context))


@failures_told()
def _process(batch: order_intake.Batch, record: SQSRecord) -> None:
    received = int(record.attributes.approximate_receive_count)
    batch.process(record.message_id, record.body, receipt_handle=record.receipt_handle, received=received)
