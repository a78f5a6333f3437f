"""Which calls to AWS a function's code can reach: the action, and what it is done to.

Three ways lead to AWS: boto3 clients, each made by a small factory (`aws.sqs()`); `AwsService`, which the webhooks use;
and `Table` over pynamodb. What stands for the resource in the code is an environment variable; the template says what
that is. Whatever cannot be read here is an error, not a gap.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from mypy import nodes, types

from tests.architecture.reach import Call, Code, Reached, infos

TABLE = "shared.dynamodb.table.Table"
AWS_SERVICE = "shared.platform.aws_http.AwsService"

TABLE_ACTIONS = {
    "count": "UpdateItem",
    "delete": "DeleteItem",
    "deleting": "DeleteItem",
    "get": "GetItem",
    "get_many": "BatchGetItem",
    "put": "PutItem",
    "put_many": "BatchWriteItem",
    "putting": "PutItem",
    "query": "Query",
    "scan": "Scan",
    "update": "UpdateItem",
    "updating": "UpdateItem",
}
"""What `Table`'s methods do. IAM checks each operation of a transaction as if it came by itself, so that `putting` is a
`PutItem` whoever sends it. (DynamoDB Developer Guide, "Using IAM with DynamoDB transactions".)"""

TABLE_CARRIERS = frozenset({"connection", "name", "write"})
"""What `Table` has beside: `write` sends what `putting` and its like prepared."""

RAW_OPERATION = "get_operation_kwargs"
"""Called on a table's connection by a room itself, it prepares a deletion with a condition. There is no other use."""

_SERVICES = {"sesv2": "ses", "lambda": "lambda"}
_OPERATIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:ListObjectsV2": "s3:ListBucket",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""Where the permission is not named as the operation is. (Service Authorization Reference.)"""

_RESOURCE_ARGUMENT = {
    "events": ("Entries", "EventBusName"),
    "s3": ("Bucket",),
    "secretsmanager": ("SecretId",),
    "sqs": ("QueueUrl",),
    "ssm": ("Name",),
}
_OUTSIDE = {"lambda": "itself", "ses": "parameter EmailIdentityArn", "sns": "parameter NoticeTopicArn"}
"""Resources that come with the event or the settings."""

KEYS_FOUND = {
    "shared.platform.archive._get": ("customers/", "orders/", "oversize/"),
    "shared.platform.archive._keep": ("customers/", "orders/"),
    "shared.platform.archive._strike_body": ("oversize/",),
    "shared.platform.intake_queue.unpack": ("oversize/",),
}
"""Folders of the keys that no code makes: S3 listed them, under a folder, or `stored_key` took them from a message."""


class Unreadable(AssertionError):
    """The code says something that this cannot follow."""


@dataclass(frozen=True, order=True)
class Need:
    """`where` names an environment variable, or what stands outside of them; `part` an index, or how keys begin."""

    action: str
    where: str
    part: str = ""


class Calls:
    """The calls to AWS that one function can reach."""

    def __init__(self, code: Code, reached: Reached) -> None:
        self._code = code
        self._reached = reached

    @cached_property
    def needs(self) -> frozenset[Need]:
        return frozenset({*self._of_clients(), *self._of_services(), *self._of_tables()})

    @cached_property
    def variables(self) -> frozenset[str]:
        """The environment variables that are read, by any way."""
        found = set()
        for unit in self._reached.units:
            mentions = self._code.mentions(unit)
            for index in mentions.indexed:
                if _is_environ(index.base):
                    found |= self._texts(index.index, unit)
            for call in mentions.calls:
                if _reads_environ(call.callee):
                    found |= self._texts(call.args[0], unit)
        return frozenset(found)

    # ---- the three ways -----------------------------------------------------------------------------------------

    def _of_clients(self) -> Iterator[Need]:
        for call in self._reached.calls:
            service = client_service(self._code, call.expression.callee)
            if service is None:
                continue
            assert isinstance(call.expression.callee, nodes.MemberExpr)
            operation = "".join(word.capitalize() for word in call.expression.callee.name.split("_"))
            short = _SERVICES.get(service, service)
            yield from self._named(call, short, operation)

    def _named(self, call: Call, service: str, operation: str) -> Iterator[Need]:
        action = _OPERATIONS.get(f"{service}:{operation}", f"{service}:{operation}")
        if service in _OUTSIDE:
            yield Need(action, _OUTSIDE[service])
            return
        places = self._variables_of(_argument(call.expression, _RESOURCE_ARGUMENT[service]), call.unit)
        keys = {""}
        if service == "s3" and action != "s3:ListBucket":
            keys = self._beginnings(_argument(call.expression, ("Key",)), call.unit)
        yield from (Need(action, place, key) for place in places for key in keys)

    def _of_services(self) -> Iterator[Need]:
        """`call("AmazonSQS.SendMessage", {"QueueUrl": …})` and `put_object(bucket, key, body)`."""
        for call in self._reached.calls:
            callee = call.expression.callee
            if not isinstance(callee, nodes.MemberExpr) or AWS_SERVICE not in self._classes(callee.expr):
                continue
            if callee.name == "put_object":
                bucket, key = call.expression.args[:2]
                places, keys = self._variables_of(bucket, call.unit), self._beginnings(key, call.unit)
                yield from (Need("s3:PutObject", place, key) for place in places for key in keys)
            elif callee.name == "call":
                target, body = call.expression.args[:2]
                for text in self._texts(target, call.unit):
                    service, operation = text.removeprefix("Amazon").lower().partition(".")[0], text.partition(".")[2]
                    name = _RESOURCE_ARGUMENT[service][-1]
                    for place in self._variables_of(_value_of(body, name), call.unit):
                        yield Need(f"{service}:{operation}", place)

    def _of_tables(self) -> Iterator[Need]:
        for unit in self._reached.units:
            owner = self._owner(unit)
            if owner is None or owner == TABLE:
                continue
            for call in self._code.mentions(unit).calls:
                callee = call.callee
                if not isinstance(callee, nodes.MemberExpr):
                    continue
                if TABLE in self._classes(callee.expr):
                    if callee.name in TABLE_CARRIERS:
                        continue
                    action, index = TABLE_ACTIONS[callee.name], _given(call, "index")
                    parts = self._texts(index, unit) if index is not None else {""}
                elif callee.name == RAW_OPERATION:
                    action, parts = "DeleteItem", {""}
                else:
                    continue
                for place in self._table_variables(owner):
                    yield from (Need(f"dynamodb:{action}", place, part) for part in parts)

    # ---- what the code says -------------------------------------------------------------------------------------

    def _table_variables(self, owner: str) -> set[str]:
        """The variables that name the tables of this class, as the wiring makes its objects."""
        found: set[str] = set()
        for made, call in self._tables_made:
            if self._code.fits(made, owner):
                argument = _bound(call.expression, self._code, "name")
                if argument is not None:
                    found |= self._variables_of(argument, call.unit)
        if not found:
            raise Unreadable(f"{self._reached.start}: nobody says which table {owner} is")
        return found

    @cached_property
    def _tables_made(self) -> list[tuple[str, Call]]:
        made = ((self._made_by(call), call) for call in self._reached.calls)
        return [(name, call) for name, call in made if name in self._code.classes]

    def _made_by(self, call: Call) -> str | None:
        callee = call.expression.callee
        if isinstance(callee, nodes.RefExpr) and isinstance(callee.node, nodes.TypeInfo):
            return callee.node.fullname
        if isinstance(callee, nodes.SuperExpr) and callee.name == "__init__":
            return self._owner(call.unit)
        return None

    def _owner(self, unit: str) -> str | None:
        """The class that a method belongs to."""
        owner = unit.rpartition(".")[0]
        return owner if owner in self._code.classes else None

    def _classes(self, expression: nodes.Expression) -> set[str]:
        return {info.fullname for info in infos(self._code.types.get(expression))}

    def _variables_of(self, expression: nodes.Expression, unit: str) -> set[str]:
        """The environment variables whose value an expression is."""
        if isinstance(expression, nodes.IndexExpr) and _is_environ(expression.base):
            return self._texts(expression.index, unit)
        found: set[str] = set()
        for source, where in self._sources(expression, unit):
            found |= self._variables_of(source, where)
        return found

    def _texts(self, expression: nodes.Expression, unit: str) -> set[str]:
        """The texts that an expression may be."""
        if isinstance(expression, nodes.StrExpr):
            return {expression.value}
        first, _ = _first_of_format(expression)
        if isinstance(first, nodes.StrExpr):
            return {first.value + "*"}
        found: set[str] = set()
        for source, where in self._sources(expression, unit):
            found |= self._texts(source, where)
        return found

    def _beginnings(self, expression: nodes.Expression, unit: str) -> set[str]:
        """The folders that keys may begin with."""
        if unit in KEYS_FOUND:
            return set(KEYS_FOUND[unit])
        first, rest = _first_of_format(expression)
        if first is None:
            return self._of_each(expression, unit)
        if isinstance(first, nodes.StrExpr):
            return {first.value.partition("/")[0] + "/"}
        return {text + rest.partition("/")[0] + "/" for text in self._texts(first, unit)}

    def _of_each(self, expression: nodes.Expression, unit: str) -> set[str]:
        found: set[str] = set()
        for source, where in self._sources(expression, unit):
            found |= self._beginnings(source, where)
        return found

    def _sources(self, expression: nodes.Expression, unit: str) -> list[tuple[nodes.Expression, str]]:
        """Where a value comes from: what was assigned, passed, returned, or picked from a table in the code."""
        match expression:
            case nodes.CallExpr(callee=nodes.RefExpr(fullname=name)) if name in self._code.units:
                return [(value, name) for value in self._code.mentions(name).returned]
            case nodes.IndexExpr(base=nodes.RefExpr(fullname=name)) if name in self._code.units:
                return self._entries(name)
            case nodes.TupleExpr(items=items) | nodes.ListExpr(items=items):
                return [(item, unit) for item in items]
            case nodes.RefExpr(fullname=name) if name in self._code.units:
                found = self._code.units[name]
                assert isinstance(found, nodes.Expression)
                return [(found, name)]
            case nodes.NameExpr(name=name):
                assigned = self._code.mentions(unit).assigned.get(name)
                return [(value, unit) for value in assigned] if assigned else self._passed(unit, name)
            case nodes.MemberExpr(name=name):
                return self._attribute(expression, unit)
        raise Unreadable(f"{unit}:{expression.line}: {type(expression).__name__}")

    def _entries(self, name: str) -> list[tuple[nodes.Expression, str]]:
        """The values of a table in the code, of keys that reached code names elsewhere."""
        table = self._code.units[name]
        if not isinstance(table, nodes.DictExpr):
            raise Unreadable(name)
        named = {other for unit in self._reached.units - {name} for other in self._code.mentions(unit).names}
        return [(value, name) for key, value in table.items if _name_of(key) in named]

    def _attribute(self, expression: nodes.MemberExpr, unit: str) -> list[tuple[nodes.Expression, str]]:
        """An object's attribute: what its class was called with, where it keeps an argument under this name."""
        found: list[tuple[nodes.Expression, str]] = []
        for info in infos(self._code.types.get(expression.expr)):
            maker = f"{info.fullname}.__init__"
            kept = (
                self._code.mentions(maker).assigned.get(f"self.{expression.name}")
                if maker in self._code.units
                else None
            )
            fixed = self._code.units.get(f"{info.fullname}.{expression.name}")
            if not kept and isinstance(fixed, nodes.Expression):
                found.append((fixed, info.fullname))
                continue
            for value in kept or ():
                found += self._sources(value, maker)
            if not kept:
                found += self._passed(info.fullname, expression.name)
        if not found:
            raise Unreadable(f"{unit}:{expression.line}: {expression.name}")
        return found

    def _passed(self, callee: str, argument: str) -> list[tuple[nodes.Expression, str]]:
        """What reached code passes to a function, or to a class, under this name."""
        callee = callee.removesuffix(".__init__")
        found = []
        for call in self._reached.calls:
            if callee in self._targets(call):
                value = _bound(call.expression, self._code, argument)
                if value is not None:
                    found.append((value, call.unit))
        if not found:
            raise Unreadable(f"nobody passes {argument} to {callee}")
        return found

    def _targets(self, call: Call) -> set[str]:
        callee = call.expression.callee
        targets = set()
        if isinstance(callee, nodes.RefExpr) and callee.fullname:
            targets.add(callee.fullname)
        if isinstance(callee, nodes.MemberExpr):
            targets |= {
                f"{base.fullname}.{callee.name}"
                for info in infos(self._code.types.get(callee.expr))
                for base in info.mro
            }
        return targets


def asks_aws(code: Code, unit: str) -> bool:
    """Whether a unit calls AWS itself, by one of the three ways."""
    asked = code.mentions(unit).members
    return any(owner in (TABLE, AWS_SERVICE) for owner, _ in asked) or any(
        client_service(code, call.callee) for call in code.mentions(unit).calls
    )


def client_service(code: Code, callee: nodes.Expression) -> str | None:
    """The service of `factory().operation`, where the factory makes a boto3 client."""
    if not isinstance(callee, nodes.MemberExpr) or not isinstance(callee.expr, nodes.CallExpr):
        return None
    factory = callee.expr.callee
    return made_client(code, factory.fullname) if isinstance(factory, nodes.RefExpr) else None


def made_client(code: Code, unit: str) -> str | None:
    """The service whose client a factory makes, if it is one."""
    if unit not in code.units:
        return None
    for value in code.mentions(unit).returned:
        if (
            isinstance(value, nodes.CallExpr)
            and isinstance(value.callee, nodes.RefExpr)
            and value.callee.fullname == "boto3.client"
            and isinstance(value.args[0], nodes.StrExpr)
        ):
            return value.args[0].value
    return None


def _is_environ(expression: nodes.Expression) -> bool:
    return isinstance(expression, nodes.RefExpr) and expression.fullname == "os.environ"


def _reads_environ(callee: nodes.Expression) -> bool:
    if isinstance(callee, nodes.MemberExpr) and _is_environ(callee.expr):
        return callee.name == "get"
    return isinstance(callee, nodes.RefExpr) and callee.fullname == "os.getenv"


def _name_of(key: nodes.Expression | None) -> str:
    match key:
        case nodes.MemberExpr(expr=nodes.RefExpr(node=nodes.TypeInfo(fullname=owner)), name=name):
            return f"{owner}.{name}"
    raise Unreadable(f"a table in the code with keys that are no members of a class: {key}")


def _given(call: nodes.CallExpr, name: str) -> nodes.Expression | None:
    return next((value for value, given in zip(call.args, call.arg_names, strict=True) if given == name), None)


def _argument(call: nodes.CallExpr, path: tuple[str, ...]) -> nodes.Expression:
    """A keyword's value; further names of the path lead into the dictionary, or the list of them, that it is."""
    found = _given(call, path[0])
    if found is None:
        raise Unreadable(f"line {call.line}: no {path[0]}")
    for name in path[1:]:
        found = _value_of(found, name)
    return found


def _value_of(expression: nodes.Expression, name: str) -> nodes.Expression:
    if isinstance(expression, nodes.ListComprehension):
        expression = expression.generator.left_expr
    if isinstance(expression, nodes.DictExpr):
        for key, value in expression.items:
            if isinstance(key, nodes.StrExpr) and key.value == name:
                return value
    raise Unreadable(f"line {expression.line}: no {name}")


def _bound(call: nodes.CallExpr, code: Code, formal: str) -> nodes.Expression | None:
    """What a call passes for one parameter, by name or by place."""
    by_name = _given(call, formal)
    if by_name is not None:
        return by_name
    signature = types.get_proper_type(code.types.get(call.callee))
    if isinstance(signature, types.CallableType) and formal in signature.arg_names:
        place = signature.arg_names.index(formal)
        if place < len(call.args) and call.arg_kinds[place] is nodes.ARG_POS:
            return call.args[place]
    return None


_HOLE = re.compile(r"\{[^}]*\}")


def _first_of_format(expression: nodes.Expression) -> tuple[nodes.Expression | None, str]:
    """The first part of an f-string, which mypy keeps as `"".join([…])` of texts and `"{:{}}".format(value, "")`; and
    the text that follows right after it."""
    match expression:
        case nodes.CallExpr(callee=nodes.MemberExpr(name="join"), args=[nodes.ListExpr(items=items)]):
            first = items[0]
            follows = items[1].value if len(items) > 1 and isinstance(items[1], nodes.StrExpr) else ""
            if isinstance(first, nodes.CallExpr):  # .format(value, "")
                return first.args[0], follows
            return first, follows
        case nodes.StrExpr():
            return expression, ""
    return None, ""
