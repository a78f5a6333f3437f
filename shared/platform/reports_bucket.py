"""Where a close's reports are written. The bucket keeps every version."""

import mimetypes
import os
from collections.abc import Mapping
from datetime import date

from shared.platform import aws
from shared.platform.archive import reachable

_TYPES = {".beancount": "text/plain", ".journal": "text/plain", ".csv": "text/csv"}


def write_day(day: date, revision: int, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Write what was made of one day, and return the keys. Written again, they are the same objects.

    Raises:
        Retry: the bucket is out of reach.
    """
    keys = []
    with reachable():
        for name in sorted(files):
            key = f"days/{day:%Y/%m/%d}/{revision}/{name}"
            aws.s3().put_object(
                Bucket=os.environ["REPORTS_BUCKET"], Key=key, Body=files[name], ContentType=_media_type(name)
            )
            keys.append(key)
    return tuple(keys)


def _media_type(name: str) -> str:
    suffix = f".{name.rpartition('.')[2]}"
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") or kind == "application/json" else kind
