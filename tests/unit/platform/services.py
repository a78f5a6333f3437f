"""AWS services that answer what a test tells them to, in place of the webhook's connection to them."""

import json
from collections.abc import Mapping
from typing import Any

from shared.kernel.errors import Retry
from shared.platform.aws_http import AwsService


class ScriptedService(AwsService):
    """Notes calls and stored objects; answers every call with `document`, or fails while `down`."""

    def __init__(self, document: Any = None) -> None:
        self.document = document
        self.down = False
        self.calls: list[tuple[str, dict[str, Any], str]] = []
        self.objects: dict[tuple[str, str], bytes] = {}

    def call(self, target: str, body: Mapping[str, Any], *, protocol: str = "1.0") -> dict[str, Any]:
        self.calls.append((target, dict(body), protocol))
        if self.down:
            raise Retry("aws_unreachable", target)
        text = self.document if isinstance(self.document, str) else json.dumps(self.document)
        return {"Parameter": {"Value": text}, "SecretString": text}

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        if self.down:
            raise Retry("aws_unreachable", "S3.PutObject")
        self.objects[bucket, key] = body
