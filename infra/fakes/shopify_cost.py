"""What a query may cost in Shopify's points, before it is run.

An object is a point, a connection two and its items by `first` or `last`, a field of a mutation ten; scalars are
free, and of several types that something may be, the dearest counts. Shopify's own sum for long pages has been lower
since: this is the limit that it published and never exceeds.
Source: shopify.dev, "Shopify API limits", "Calculating query costs".
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_interface_type,
    is_object_type,
)

MUTATION_POINTS: Final = 10
LONGEST_PAGE: Final = 250


class QueryCost:
    """Counts the points of one parsed document's only operation, for any variables."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        (self._operation,) = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))

    @property
    def mutates(self) -> bool:
        return self._operation.operation is OperationType.MUTATION

    def points(self, variables: Mapping[str, Any]) -> int:
        if self.mutates:
            return MUTATION_POINTS * len(self._operation.selection_set.selections)
        return self._selection(_composite(self._schema.query_type), self._operation.selection_set, variables)

    def _selection(
        self, parent: GraphQLCompositeType, selection: SelectionSetNode, variables: Mapping[str, Any]
    ) -> int:
        always, by_type = 0, [0]
        for owner, node in self._parts(parent, selection):
            if isinstance(node, FieldNode):
                always += self._field(owner, node, variables)
                continue
            points = self._selection(owner, node.selection_set, variables)
            if owner is parent:
                always += points
            else:
                by_type.append(points)
        return always + max(by_type)

    def _parts(
        self, parent: GraphQLCompositeType, selection: SelectionSetNode
    ) -> Iterator[tuple[GraphQLCompositeType, FieldNode | InlineFragmentNode | FragmentDefinitionNode]]:
        for node in selection.selections:
            if isinstance(node, FieldNode):
                yield parent, node
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                yield self._owner(fragment, parent), fragment
            elif isinstance(node, InlineFragmentNode):
                yield self._owner(node, parent), node

    def _owner(
        self, part: InlineFragmentNode | FragmentDefinitionNode, parent: GraphQLCompositeType
    ) -> GraphQLCompositeType:
        condition = part.type_condition
        return _composite(self._schema.type_map[condition.name.value]) if condition else parent

    def _field(self, parent: GraphQLCompositeType, field: FieldNode, variables: Mapping[str, Any]) -> int:
        if field.selection_set is None or not (is_object_type(parent) or is_interface_type(parent)):
            return 0
        result = _composite(get_named_type(parent.fields[field.name.value].type))
        inner = self._selection(result, field.selection_set, variables)
        arguments = {item.name.value: _value(item.value, variables) for item in field.arguments or ()}
        if result.name.endswith("Connection"):
            return 2 + _page_size(field.name.value, arguments) * inner
        if result.name.endswith("Edge") or field.name.value == "pageInfo":
            return inner
        ids = arguments.get("ids")
        return (1 + inner) * (len(ids) if isinstance(ids, list) else 1)


def _composite(named: GraphQLNamedType | None) -> GraphQLCompositeType:
    if is_composite_type(named):
        return named
    raise TypeError("fields can be selected of objects, interfaces and unions only")


def _page_size(name: str, arguments: Mapping[str, Any]) -> int:
    size = arguments.get("first") or arguments.get("last")
    if size is None or not 0 < size <= LONGEST_PAGE:
        message = f"you must provide one of first or last, from 1 to {LONGEST_PAGE}, on the {name!r} connection"
        raise GraphQLError(message, extensions={"code": "BAD_REQUEST"})
    return int(size)


def _value(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    if isinstance(node, VariableNode):
        return variables.get(node.name.value)
    if isinstance(node, ListValueNode):
        return [_value(item, variables) for item in node.values]
    return int(node.value) if isinstance(node, IntValueNode) else None


def objects_in(data: Any) -> int:
    """How many objects an answer holds: what the query cost in the end."""
    if isinstance(data, dict):
        return 1 + _objects(data.values())
    return _objects(data) if isinstance(data, list) else 0


def _objects(values: Iterable[Any]) -> int:
    return sum(objects_in(value) for value in values if isinstance(value, dict | list))
