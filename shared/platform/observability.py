"""Logs and metrics of every function but the webhooks. No personal data goes into either."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from shared.kernel.errors import StorebridgeError

BESIDE: Final = frozenset({"shop", "backoffice", "part", "code"})
"""What a log line tells beside its metric, where a query of the logs finds it. As dimensions they would make a metric,
to be paid for, of every shop and every code, and an alarm watches one metric and not all that have a name."""

# They log every call with its arguments at DEBUG, and those hold buyers' data, whatever level is asked of us.
for _library in ("boto3", "botocore", "httpcore", "httpx", "pynamodb", "urllib3"):
    logging.getLogger(_library).setLevel(logging.WARNING)


logging.raiseExceptions = False
"""A line that cannot be written is lost: Python would print the error being handled then, with all that it quotes."""


@cache
def logger() -> Logger:
    """JSON logs with the request id; never the event itself, which holds buyers' data."""
    return Logger(use_rfc3339=True, utc=True)


@contextmanager
def failures_told() -> Iterator[None]:
    """Log what a record of a batch fails on: Powertools puts it back without a word.

    Of which kind and where, never the error's own text: a library's may quote a buyer's data.
    """
    try:
        yield
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        code = error.code if isinstance(error, StorebridgeError) else type(error).__name__
        logger().warning("record failed", extra={"code": code, "where": f"{last.name} {last.lineno}"})
        raise


def count(metric: str, amount: int = 1, **labels: str) -> None:
    """Add one, or so many, to a metric of this function. Count nothing rather than zero: a metric is billed for each
    hour in which it was sent.

    A metric of its own each time: within one, Powertools keeps a dimension's last value only.
    A label becomes a dimension, and must come from a small fixed set: each combination is billed. What `BESIDE`
    names stands in the log line only.
    """
    with single_metric(name=metric, unit=MetricUnit.Count, value=amount) as entry:
        for name, value in labels.items():
            if name in BESIDE:
                entry.add_metadata(key=name, value=value)
            else:
                entry.add_dimension(name=name, value=value)
