"""What stock takes for granted of Shopify stands in its published Admin schema."""

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLSchema, is_enum_type, is_input_object_type, parse

from infra.fakes.shopify_cost import MUTATION_POINTS, QueryCost
from infra.fakes.shopify_schema import admin_schema
from infra.local.shopify_schema import SCHEMA_FILE
from shared.storefronts.shopify import stock, stock_query

MOST_POINTS = 1000


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    if not SCHEMA_FILE.exists():
        pytest.skip("Shopify's Admin schema is not there: run python -m infra.local.fetch")
    return admin_schema()


def cost(schema: GraphQLSchema, name: str, **variables: object) -> int:
    return QueryCost(schema, parse(stock_query.DOCUMENTS[name])).points(variables)


def test_the_longest_questions_stay_within_the_points_of_one_query(schema: GraphQLSchema) -> None:
    ids = ["gid://shopify/InventoryItem/1"] * stock_query.MOST_ITEMS
    assert cost(schema, "levels", ids=ids, location="gid://shopify/Location/1") == 3 * len(ids)
    assert cost(schema, "catalogue") == 2 + 4 * stock_query.CATALOGUE_PAGE
    assert max(3 * len(ids), 2 + 5 * stock_query.CATALOGUE_PAGE) <= MOST_POINTS
    assert cost(schema, "set_levels") == MUTATION_POINTS


def codes(schema: GraphQLSchema) -> set[str]:
    published = schema.type_map["InventorySetQuantitiesUserErrorCode"]
    assert is_enum_type(published)
    assert isinstance(published, GraphQLEnumType)
    return set(published.values)


def test_the_codes_that_are_judged_are_published(schema: GraphQLSchema) -> None:
    judged = {
        stock._STALE,
        stock._FAILED_BEFORE,
        *stock._ABOUT_THE_CALL,
        *("IDEMPOTENCY_CONCURRENT_REQUEST", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"),
        *("INVALID_QUANTITY_TOO_HIGH", "INVALID_QUANTITY_TOO_LOW"),
    }
    assert judged <= codes(schema)


def test_every_published_code_is_known_as_one_of_the_call_of_the_key_or_of_an_item(schema: GraphQLSchema) -> None:
    """A new code needs a look: of what is it said?"""
    of_an_item = {
        *("CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE", "INVALID_INVENTORY_ITEM", "INVALID_LOCATION"),
        *("INVALID_QUANTITY_NEGATIVE", "INVALID_QUANTITY_TOO_HIGH", "INVALID_QUANTITY_TOO_LOW"),
        *("NON_MUTABLE_INVENTORY_ITEM", "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"),
    }
    of_the_key = {code for code in codes(schema) if code.startswith("IDEMPOTENCY_")}
    assert codes(schema) == of_an_item | of_the_key | stock._ABOUT_THE_CALL
    assert len(of_the_key) == 3


def test_the_input_takes_what_is_sent(schema: GraphQLSchema) -> None:
    quantity = schema.type_map["InventoryQuantityInput"]
    assert is_input_object_type(quantity)
    assert isinstance(quantity, GraphQLInputObjectType)
    assert set(quantity.fields) == {"inventoryItemId", "locationId", "quantity", "changeFromQuantity"}
    assert "mandatory" in (quantity.fields["changeFromQuantity"].description or "")


def test_the_idempotency_key_is_demanded_by_words_alone(schema: GraphQLSchema) -> None:
    """No validation would miss it, so the fake shop demands it by hand."""
    assert schema.mutation_type is not None
    assert "required" in (schema.mutation_type.fields["inventorySetQuantities"].description or "")
    directive = schema.get_directive("idempotent")
    assert directive is not None
    assert [location.name for location in directive.locations] == ["FIELD"]
