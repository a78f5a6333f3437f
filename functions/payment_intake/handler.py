"""Payments queue: what providers say of payments, and orders whose money changed. Each is kept, or set aside."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.platform.observability import failures_told
from shared.wiring import payment_intake

_processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return dict(process_partial_response(event, _process, _processor, context))


@failures_told()
def _process(record: SQSRecord) -> None:
    received = int(record.attributes.approximate_receive_count)
    payment_intake.process(record.body, receipt_handle=record.receipt_handle, received=received)
