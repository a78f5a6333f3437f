"""Pushes (数据推送) of the fake Jiandaoyun: signed as the documentation says (hc.jiandaoyun.com/doc/10732)."""

import hashlib
import json
from datetime import datetime
from typing import Any, NamedTuple


class Push(NamedTuple):
    """A request as the vendor makes it. Header names are lower case."""

    headers: dict[str, str]
    timestamp: str
    nonce: str
    body: bytes


def push_of(operation: str, row: dict[str, Any], secret: str, at: datetime, *, number: int) -> Push:
    timestamp, nonce = str(int(at.timestamp())), f"{number:06x}"
    event = {"op": operation, "opTime": int(at.timestamp() * 1000), "data": row}
    body = json.dumps(event, ensure_ascii=False, default=float).encode()
    signed = nonce.encode() + b":" + body + b":" + secret.encode() + b":" + timestamp.encode()
    headers = {
        "content-type": "application/json",
        "x-jdy-signature": hashlib.sha1(signed, usedforsecurity=False).hexdigest(),
        "x-jdy-deliverid": f"72d3162e-cc78-11e3-81ab-{number:012x}",
    }
    return Push(headers, timestamp, nonce, body)
