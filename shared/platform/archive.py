"""The archive of raw deliveries, as an erasure goes through it: whose data is erased is taken out, the rest stays as
it was to the byte.
"""

import gzip
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from shared.kernel.errors import Rejected, Retry
from shared.platform import aws
from shared.platform.deliveries import delivery_in
from shared.sync.privacy.ports import IsTheirs, Struck

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectTypeDef

OBJECTS_PER_PAGE = 100


class _Line(NamedTuple):
    text: str
    is_theirs: bool
    is_unread: bool


class S3Archive:
    """One bucket. An object that cannot be read is named and left, never passed over in silence."""

    def __init__(self, *, per_page: int = OBJECTS_PER_PAGE) -> None:
        self._per_page = per_page

    def strike(self, folder: str, since: datetime | None, cursor: str | None, is_theirs: IsTheirs) -> Struck:
        """Keys sort by day, so that the listing starts at the first day, or after the page before."""
        first = f"{folder}/{since:%Y/%m/%d}/" if since else f"{folder}/"
        with reachable():
            objects, more = self._page(f"{folder}/", cursor or first)
            struck = [_strike_batch(entry["Key"], is_theirs) for entry in objects]
        return _summed(struck, objects[-1]["Key"] if more else None)

    def strike_oversize(self, since: datetime | None, cursor: str | None, is_theirs: IsTheirs) -> Struck:
        """Their keys do not tell the day; S3 tells when each was written."""
        with reachable():
            objects, more = self._page("oversize/", cursor or "oversize/")
            fresh = [entry["Key"] for entry in objects if since is None or entry["LastModified"] >= since]
            struck = [_strike_body(key, is_theirs) for key in fresh]
        return _summed(struck, objects[-1]["Key"] if more else None)

    def _page(self, prefix: str, after: str) -> tuple[list["ObjectTypeDef"], bool]:
        answer = aws.s3().list_objects_v2(Bucket=_bucket(), Prefix=prefix, StartAfter=after, MaxKeys=self._per_page)
        objects = answer.get("Contents", [])
        return objects, bool(answer["IsTruncated"] and objects)


def _bucket() -> str:
    return os.environ["ARCHIVE_BUCKET"]


def _summed(struck: list[Struck], cursor: str | None) -> Struck:
    return Struck(
        cursor=cursor,
        looked_at=sum(one.looked_at for one in struck),
        removed=sum(one.removed for one in struck),
        unread=tuple(name for one in struck for name in one.unread),
    )


def _strike_batch(key: str, is_theirs: IsTheirs) -> Struck:
    """Write the object again without their lines, or delete it where no line is left."""
    packed = _get(key)
    if packed is None:
        return Struck()
    try:
        texts = [text for text in gzip.decompress(packed).decode("utf-8").split("\n") if text]
        lines = [_judged(text, is_theirs) for text in texts]
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return Struck(looked_at=1, unread=(key,))
    left = [line.text for line in lines if not line.is_theirs]
    if len(left) < len(lines):
        _keep(key, left)
    unread = (key,) if any(line.is_unread for line in lines) else ()
    return Struck(looked_at=len(lines), removed=len(lines) - len(left), unread=unread)


def _judged(text: str, is_theirs: IsTheirs) -> _Line:
    try:
        delivery = delivery_in(json.loads(text)["body"])
        return _Line(text, delivery is not None and is_theirs(delivery), is_unread=False)
    except Rejected:
        return _Line(text, is_theirs=False, is_unread=True)


def _keep(key: str, lines: list[str]) -> None:
    if not lines:
        aws.s3().delete_object(Bucket=_bucket(), Key=key)
        return
    aws.s3().put_object(
        Bucket=_bucket(),
        Key=key,
        Body=gzip.compress("\n".join(lines).encode(), mtime=0),
        ContentType="application/x-ndjson",
        ContentEncoding="gzip",
    )


def _strike_body(key: str, is_theirs: IsTheirs) -> Struck:
    packed = _get(key)
    if packed is None:
        return Struck()
    try:
        delivery = delivery_in(packed.decode("utf-8"))
        theirs = delivery is not None and is_theirs(delivery)
    except (Rejected, UnicodeDecodeError):
        return Struck(looked_at=1, unread=(key,))
    if theirs:
        aws.s3().delete_object(Bucket=_bucket(), Key=key)
    return Struck(looked_at=1, removed=int(theirs))


def _get(key: str) -> bytes | None:
    """None where it expired between the listing and now."""
    try:
        return aws.s3().get_object(Bucket=_bucket(), Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None


@contextmanager
def reachable() -> Iterator[None]:
    """Turn AWS's errors into `Retry` with code `archive_unreachable`."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise Retry("archive_unreachable", f"the archive answers {code}") from error
    except BotoCoreError as error:
        raise Retry("archive_unreachable", f"the archive cannot be reached: {type(error).__name__}") from error
