"""Privacy requests and proofs, in the sync table.

| pk | sk | what |
|---|---|---|
| `privacy/open` | request | what is still to be done |
| `privacy/closed` | request | what was done |
| `privacy/proof` | number | the proofs, each with the digest of the one before |
"""

from collections.abc import Iterator

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.models import Model

from shared.dynamodb.table import Operation, RawItem, Table, WriteRefused, transact
from shared.sync.privacy.models import ErasureProof, PrivacyRequest

_OPEN = "privacy/open"
_CLOSED = "privacy/closed"
_PROOFS = "privacy/proof"


class RequestItem(Model):
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    revision = NumberAttribute()
    document: JSONAttribute = JSONAttribute()

    class Meta:
        table_name = "bound by instance"


class PrivacyTable:
    """The privacy book on DynamoDB."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._table = Table(connection, name, RequestItem)

    def open(self, request: PrivacyRequest) -> PrivacyRequest:
        known = self.find(request.id)
        if known is not None:
            return known
        kept = _next(request)
        try:
            self._table.put(_item(_OPEN, kept), RequestItem.pk.does_not_exist())
        except WriteRefused:
            return self.find(request.id) or kept
        return kept

    def find(self, request_id: str) -> PrivacyRequest | None:
        # In this order: one that is closed in between is found all the same.
        still_open, closed = (self._table.get((partition, request_id)) for partition in (_OPEN, _CLOSED))
        raw = closed or still_open
        return _request(raw) if raw else None

    def save(self, request: PrivacyRequest) -> PrivacyRequest:
        kept = _next(request)
        self._table.put(_item(_OPEN, kept), RequestItem.revision == request.revision)
        return kept

    def close(self, request: PrivacyRequest, proof: ErasureProof | None) -> PrivacyRequest:
        kept = _next(request).model_copy(update={"proof": proof.number if proof else None})
        puts: list[Operation] = [self._table.putting(_item(_CLOSED, kept), RequestItem.pk.does_not_exist())]
        if proof is not None:
            item = RequestItem(_PROOFS, f"{proof.number:08}", revision=1, document=proof.model_dump(mode="json"))
            puts.append(self._table.putting(item, RequestItem.pk.does_not_exist()))
        gone = self._table.connection.get_operation_kwargs(
            self._table.name, _OPEN, request.id, condition=RequestItem.revision == request.revision
        )
        transact(self._connection, puts=puts, updates=[], deletes=[gone])
        return kept

    def unfinished(self) -> Iterator[PrivacyRequest]:
        return map(_request, self._table.query(_OPEN, consistent=True))

    def closed(self) -> Iterator[PrivacyRequest]:
        return map(_request, self._table.query(_CLOSED))

    def last_proof(self) -> ErasureProof | None:
        newest = next(self._table.query(_PROOFS, consistent=True, newest_first=True, page=1), None)
        return _proof(newest) if newest else None

    def proofs(self) -> Iterator[ErasureProof]:
        return map(_proof, self._table.query(_PROOFS, consistent=True))


def _next(request: PrivacyRequest) -> PrivacyRequest:
    return request.model_copy(update={"revision": request.revision + 1})


def _item(partition: str, request: PrivacyRequest) -> RequestItem:
    document = request.model_dump(mode="json", exclude_defaults=True)
    return RequestItem(partition, request.id, revision=request.revision, document=document)


def _request(raw: RawItem) -> PrivacyRequest:
    return PrivacyRequest.stored(RequestItem.from_raw_data(dict(raw)).document)


def _proof(raw: RawItem) -> ErasureProof:
    return ErasureProof.stored(RequestItem.from_raw_data(dict(raw)).document)
