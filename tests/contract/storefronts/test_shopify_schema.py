"""Every document that we send to Shopify is valid in its published Admin schema, current, and not too costly."""

import gzip
import hashlib
import json
from collections.abc import Iterator

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    build_client_schema,
    get_named_type,
    is_composite_type,
    is_interface_type,
    is_object_type,
    parse,
    validate,
)

from infra.local.shopify_schema import API_VERSION, SCHEMA_FILE, SHA256
from shared.storefronts.shopify import (
    customer_query,
    fulfilment_query,
    graphql,
    inspection,
    order_query,
    stock_query,
    subscriptions,
)

MOST_POINTS = 1000
"""What Shopify grants one query: one point for an object, two and its items for a connection."""

DOCUMENTS = {
    **order_query.DOCUMENTS,
    **{f"stock.{name}": text for name, text in stock_query.DOCUMENTS.items()},
    **{f"fulfilment.{name}": text for name, text in fulfilment_query.DOCUMENTS.items()},
    **{f"customers.{name}": text for name, text in customer_query.DOCUMENTS.items()},
    **{f"inspection.{name}": text for name, text in inspection.DOCUMENTS.items()},
    **{f"subscriptions.{name}": text for name, text in subscriptions.DOCUMENTS.items()},
}
QUESTIONS = [
    *(f"inspection.{name}" for name in inspection.DOCUMENTS),
    *(f"customers.{name}" for name in customer_query.QUESTIONS),
    *(*order_query.DOCUMENTS, "stock.catalogue", "subscriptions.list"),
    *(f"fulfilment.{name}" for name in ("order", "open_lines", "shipped_lines", "events", "state")),
]


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    if not SCHEMA_FILE.exists():
        pytest.skip("Shopify's Admin schema is not there: run python -m infra.local.fetch")
    packed = SCHEMA_FILE.read_bytes()
    assert hashlib.sha256(packed).hexdigest() == SHA256
    introspection = json.loads(gzip.decompress(packed))
    return build_client_schema(introspection.get("data", introspection), assume_valid=True)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_document_is_valid_and_uses_nothing_deprecated(name: str, schema: GraphQLSchema) -> None:
    document = parse(DOCUMENTS[name])
    assert validate(schema, document) == []
    assert validate(schema, document, [NoDeprecatedCustomRule]) == []


@pytest.mark.parametrize("name", QUESTIONS)
def test_each_document_stays_within_the_points_of_one_query(name: str, schema: GraphQLSchema) -> None:
    assert 0 < cost(schema, DOCUMENTS[name]) <= MOST_POINTS


def test_the_validation_would_notice_a_wrong_field(schema: GraphQLSchema) -> None:
    broken = order_query.DOCUMENTS["order"].replace("displayFinancialStatus", "financialStatus")
    assert validate(schema, parse(broken)) != []


def test_the_clients_call_the_version_that_is_checked_here() -> None:
    assert graphql.API_VERSION == API_VERSION


def cost(schema: GraphQLSchema, text: str) -> int:
    document = parse(text)
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    assert schema.query_type is not None
    return _selection_cost(schema, schema.query_type, operation.selection_set, fragments)


def _selection_cost(
    schema: GraphQLSchema,
    parent: GraphQLNamedType,
    selection: SelectionSetNode,
    fragments: dict[str, FragmentDefinitionNode],
) -> int:
    return sum(
        _field_cost(schema, owner, field, fragments) for owner, field in _fields(schema, parent, selection, fragments)
    )


def _fields(
    schema: GraphQLSchema,
    parent: GraphQLNamedType,
    selection: SelectionSetNode,
    fragments: dict[str, FragmentDefinitionNode],
) -> Iterator[tuple[GraphQLNamedType, FieldNode]]:
    for node in selection.selections:
        if isinstance(node, FieldNode):
            yield parent, node
        elif isinstance(node, FragmentSpreadNode):
            fragment = fragments[node.name.value]
            yield from _fields(
                schema, _named(schema, fragment.type_condition.name.value), fragment.selection_set, fragments
            )
        elif isinstance(node, InlineFragmentNode) and node.type_condition:
            yield from _fields(schema, _named(schema, node.type_condition.name.value), node.selection_set, fragments)


def _field_cost(
    schema: GraphQLSchema, parent: GraphQLNamedType, field: FieldNode, fragments: dict[str, FragmentDefinitionNode]
) -> int:
    if field.selection_set is None or not (is_object_type(parent) or is_interface_type(parent)):
        return 0
    result: GraphQLCompositeType = get_named_type(parent.fields[field.name.value].type)
    assert is_composite_type(result)
    inner = _selection_cost(schema, result, field.selection_set, fragments)
    size = _first(field)
    return 1 + inner if size is None else 2 + size * inner


def _first(connection: FieldNode) -> int | None:
    for argument in connection.arguments or ():
        if argument.name.value == "first" and isinstance(argument.value, IntValueNode):
            return int(argument.value.value)
    return None


def _named(schema: GraphQLSchema, name: str) -> GraphQLNamedType:
    found = schema.type_map[name]
    assert found is not None
    return found
