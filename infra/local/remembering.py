"""Side services that forget nothing: what moto has just done is in the journal before the caller hears of it.

moto keeps its state in objects of its own; they are compared with what was noted last. So it does not matter which
request moved a message: sent, brought by a rule of the bus, moved to a dead-letter queue, deleted.

Messages and objects come back when their queue or bucket is made again, which every start does. A message that was in
flight when the process died can be received at once, as on SQS when its visibility timeout ends. Forgotten are mails,
topics' messages and the bus's past: those have left.
"""

import base64
import io
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from moto.s3.models import FakeKey, s3_backends
from moto.sqs.models import Message, Queue, sqs_backends
from werkzeug.test import EnvironBuilder, run_wsgi_app

from infra.local.intrinsics import ACCOUNT, REGION
from infra.local.journal import Journal, StoredMessage, StoredObject

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ARRANGING: Final[Mapping[str, str]] = {
    "AmazonSQS.CreateQueue": "sqs",
    "AmazonSQS.DeleteQueue": "sqs",
    "AWSEvents.PutRule": "events",
    "AWSEvents.PutTargets": "events",
    "AWSEvents.RemoveTargets": "events",
    "AWSEvents.DeleteRule": "events",
}
"""Requests that are made again at a start, and their service: a developer's own rules on the bus, and their queues."""
_ONLY_READING: Final = frozenset({"AmazonSQS.GetQueueAttributes", "AmazonSQS.GetQueueUrl", "AmazonSQS.ListQueues"})
_FIELDS: Final = (
    *("sent_timestamp", "delayed_until", "approximate_first_receive_timestamp", "system_attributes"),
    *("deduplication_id", "group_id", "sequence_number"),
)
"""Of a message, beside its body and its attributes."""


class Memory:
    """Brings what moto does into the journal, and back. Called by one request at a time."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._standing: dict[str, tuple[str, int]] = {}
        """By message: its queue, and how often it was handed out, as noted."""
        self._queues: set[str] = set()
        self._buckets: set[str] = set()
        """Those whose content has come back."""
        self._arranging = False

    def carried_out(
        self, application: "WSGIApplication", environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> list[bytes]:
        """Have a request carried out, and note what it has changed. The answer must wait for :meth:`durable`."""
        content = _content(environ) if environ.get("HTTP_X_AMZ_TARGET") in _ARRANGING else b""
        statuses: list[str] = []

        def start(status: str, *given: Any) -> Any:
            statuses.append(status)
            return start_response(status, *given)

        body = list(application(environ, start))
        self._note_changes(environ)
        if self._arranging and content and statuses[-1].startswith("2"):
            self._journal.keep_arrangement(str(environ["HTTP_X_AMZ_TARGET"]), content.decode("utf-8"))
        return body

    def _note_changes(self, environ: "WSGIEnvironment") -> None:
        """Whatever the answer was: a batch may have been carried out in part."""
        target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
        if target in _ONLY_READING:
            return
        if target.startswith(("AmazonSQS.", "AWSEvents.")):
            self._note_queues()
        elif not target and environ.get("REQUEST_METHOD") in {"PUT", "POST", "DELETE"}:
            self._note_bucket(str(environ.get("PATH_INFO", "")))

    def durable(self) -> None:
        """Return when all that was noted is on the disk."""
        self._journal.flush()

    def recall(self, application: "WSGIApplication") -> None:
        """Make again what was set up beside the template, and keep what will be from now on.

        What cannot be made any more, since the template has changed, is passed over.
        """
        for target, content in self._journal.arrangements():
            run_wsgi_app(application, _request(target, content))
        self._arranging = True

    # ---- queues ----

    def _note_queues(self) -> None:
        queues = sqs_backends[ACCOUNT][REGION].queues
        for name in queues.keys() - self._queues:
            self._restore_queue(name)
        self._queues &= queues.keys()
        found = {message.id: (queue.name, message) for queue in queues.values() for message in _all(queue)}
        for identity in self._standing.keys() - found.keys():
            self._journal.drop_message(identity)
            del self._standing[identity]
        for identity, (queue, message) in found.items():
            self._note_message(identity, queue, message)

    def _note_message(self, identity: str, queue: str, message: Message) -> None:
        now = (queue, message.approximate_receive_count)
        before = self._standing.get(identity)
        if before == now:
            return
        self._standing[identity] = now
        if before is None or before[0] != queue:
            self._journal.keep_message(queue, _stored(message))
        else:
            self._journal.count_receipt(identity, message.approximate_receive_count)

    def _restore_queue(self, name: str) -> None:
        self._queues.add(name)
        queue = sqs_backends[ACCOUNT][REGION].queues[name]
        for stored in self._journal.messages(name):
            queue.add_message(_message(stored))
            self._standing[stored.id] = (name, stored.receipts)

    # ---- objects ----

    def _note_bucket(self, path: str) -> None:
        bucket, _, key = path.lstrip("/").partition("/")
        if bucket not in s3_backends[ACCOUNT]["aws"].buckets:
            return
        if not key:
            self._restore_bucket(bucket)
            return
        kept = s3_backends[ACCOUNT]["aws"].buckets[bucket].keys.get(key)
        if isinstance(kept, FakeKey):
            self._journal.keep_object(bucket, _stored_object(kept))
        else:
            self._journal.drop_object(bucket, key)

    def _restore_bucket(self, bucket: str) -> None:
        if bucket in self._buckets:
            self._note_objects(bucket)
            return
        self._buckets.add(bucket)
        for stored in self._journal.objects(bucket):
            kept = s3_backends[ACCOUNT]["aws"].put_object(bucket, stored.key, stored.body, disable_notification=True)
            kept.set_metadata(dict(stored.headers))
            kept.last_modified = datetime.fromisoformat(stored.written_at)

    def _note_objects(self, bucket: str) -> None:
        """After a request about many objects: whatever is gone."""
        kept = s3_backends[ACCOUNT]["aws"].buckets[bucket].keys
        for stored in self._journal.objects(bucket):
            if not isinstance(kept.get(stored.key), FakeKey):
                self._journal.drop_object(bucket, stored.key)


def _all(queue: Queue) -> list[Message]:
    """Also what is in flight or delayed, which `messages` leaves out."""
    return queue._messages  # noqa: SLF001  # moto has no public name for it


def _content(environ: "WSGIEnvironment") -> bytes:
    content: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(content)
    return content


def _request(target: str, content: str) -> "WSGIEnvironment":
    scope = f"local/20200101/{REGION}/{_ARRANGING[target]}/aws4_request"
    headers = {
        "X-Amz-Target": target,
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none",
    }
    return EnvironBuilder(path="/", method="POST", headers=list(headers.items()), data=content).get_environ()


def _stored(message: Message) -> StoredMessage:
    content = {
        "body": message.body,
        "attributes": {name: _as_text(given) for name, given in message.message_attributes.items()},
        **{name: getattr(message, name) for name in _FIELDS},
    }
    return StoredMessage(message.id, message.approximate_receive_count, content)


def _message(stored: StoredMessage) -> Message:
    message = Message(stored.id, stored.content["body"])
    attributes = stored.content["attributes"]
    message.message_attributes = {name: _as_bytes(given) for name, given in attributes.items()}
    message.approximate_receive_count = stored.receipts
    for name in _FIELDS:
        setattr(message, name, stored.content[name])
    return message


def _as_text(attribute: Mapping[str, Any]) -> dict[str, Any]:
    """An attribute's bytes as base64 in a list, so that they are not taken for text."""
    return {
        name: [base64.b64encode(value).decode("ascii")] if isinstance(value, bytes) else value
        for name, value in attribute.items()
    }


def _as_bytes(attribute: Mapping[str, Any]) -> dict[str, Any]:
    return {name: base64.b64decode(value[0]) if isinstance(value, list) else value for name, value in attribute.items()}


def _stored_object(kept: FakeKey) -> StoredObject:
    return StoredObject(kept.name, kept.last_modified.isoformat(), dict(kept.metadata), kept.value)
