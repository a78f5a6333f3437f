"""Calls about one item, and the two that read a table or an index."""

from collections.abc import Mapping
from typing import Any

from infra.fakes.aws.dynamodb.database import Database
from infra.fakes.aws.dynamodb.errors import Invalid, Refused
from infra.fakes.aws.dynamodb.metering import Units, consumed, read_units
from infra.fakes.aws.dynamodb.paths import excerpt
from infra.fakes.aws.dynamodb.programs import Program, reading_program_of
from infra.fakes.aws.dynamodb.reading import Reading
from infra.fakes.aws.dynamodb.storage import Stored, TableStore
from infra.fakes.aws.dynamodb.values import Item
from infra.fakes.aws.dynamodb.writing import Change, Write

Answer = dict[str, Any]
Request = Mapping[str, Any]


def get_item(database: Database, request: Request) -> Answer:
    store = database.store(request["TableName"])
    stored, program = look_up(store, request["Key"], request)
    spent = read_units(stored.size if stored else 0, consistent=bool(request.get("ConsistentRead")))
    database.meter.count_read("GetItem", store.schema.name, spent)
    answer: Answer = {}
    if stored:
        answer["Item"] = shown(stored, program)
    return with_units(answer, request, store, Units(spent))


def look_up(store: TableStore, key: Mapping[str, Any], request: Request) -> tuple[Stored | None, Program]:
    """What lies at a key, and the program of what the request wants of it."""
    place = store.schema.key_of(key)
    program = reading_program_of(request)
    program.fill(request)
    return store.find(place), program


def shown(stored: Stored, program: Program) -> Item:
    """The caller's own copy of an item, or of the part of it that is wanted."""
    return stored.item.copy() if program.projection is None else excerpt(stored.item, program.projection)


def write_item(database: Database, kind: str, request: Request) -> Answer:
    """PutItem, UpdateItem or DeleteItem."""
    store = database.store(request["TableName"])
    returned = _returned(kind, request)
    write = Write(kind, store, request)
    write.check_index_types()
    old = store.find(write.place)
    if not write.holds(old):
        database.meter.count_written(f"{kind}Item", store.schema.name, write.refused_units(old))
        raise Refused(refusing_item(request, old))
    change = Change(store, write.place, old, write.result(old))
    database.commit((change,))
    units = Units()
    change.bill(units)
    database.meter.count_written(f"{kind}Item", store.schema.name, units.total)
    answer: Answer = {}
    attributes = _attributes(returned, write, change)
    if attributes:
        answer["Attributes"] = attributes
    return with_units(answer, request, store, units)


def refusing_item(request: Request, old: Stored | None) -> Item | None:
    wanted = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    return old.item.copy() if wanted and old else None


def _returned(kind: str, request: Request) -> str:
    returned: str = request.get("ReturnValues", "NONE")
    if kind != "Update" and returned not in {"NONE", "ALL_OLD"}:
        raise Invalid("ReturnValues can only be ALL_OLD or NONE")
    if returned not in {"NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"}:
        raise Invalid(
            f"1 validation error detected: Value '{returned}' at 'returnValues' failed to satisfy constraint:"
            " Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
        )
    return returned


def _attributes(returned: str, write: Write, change: Change) -> Item | None:
    if returned == "NONE":
        return None
    stored = change.old if returned.endswith("OLD") else change.new
    if stored is None:
        return None
    if returned.startswith("ALL"):
        return stored.item.copy()
    update = write.program.update
    return excerpt(stored.item, update.targets) if update else None


def query(database: Database, request: Request) -> Answer:
    store = database.store(request["TableName"])
    answer, units = Reading(store, request).query()
    database.meter.count_read("Query", store.schema.name, units.total)
    return with_units(answer, request, store, units)


def scan(database: Database, request: Request) -> Answer:
    store = database.store(request["TableName"])
    answer, units = Reading(store, request).scan()
    database.meter.count_read("Scan", store.schema.name, units.total)
    return with_units(answer, request, store, units)


def with_units(answer: Answer, request: Request, store: TableStore, units: Units) -> Answer:
    capacity = consumed(request.get("ReturnConsumedCapacity"), store.schema.name, units)
    if capacity is not None:
        answer["ConsumedCapacity"] = capacity
    return answer
