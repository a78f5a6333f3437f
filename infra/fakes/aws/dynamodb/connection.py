"""pynamodb's connection to a DynamoDB in memory."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from pynamodb.connection import Connection

Call = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""`MemoryDynamoDb.call`, or what a simulation puts around it."""


class MemoryConnection(Connection):
    """Like any other, with a function in the place of botocore's client: pynamodb's own handling of errors stays."""

    def __init__(self, call: Call) -> None:
        super().__init__(region="eu-west-1")
        self._client = cast(Any, _Client(call))

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Without the request ids, signals and lines for debugging, which take as long as the call itself."""
        return self._make_api_call(operation_name, operation_kwargs)


class _Client:
    """The part of botocore's client that pynamodb uses."""

    _request_signer = None

    def __init__(self, call: Call) -> None:
        self._make_api_call = call
