"""What telling of shipments takes for granted of Shopify stands in its published Admin schema."""

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema, parse

from infra.fakes.shopify_cost import QueryCost
from infra.fakes.shopify_schema import admin_schema
from infra.local.shopify_schema import SCHEMA_FILE
from shared.storefronts.shopify import consignments, fulfilment, fulfilment_query

MOST_POINTS = 1000


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    if not SCHEMA_FILE.exists():
        pytest.skip("Shopify's Admin schema is not there: run python -m infra.local.fetch")
    return admin_schema()


def words(schema: GraphQLSchema, enum: str) -> set[str]:
    published = schema.type_map[enum]
    assert isinstance(published, GraphQLEnumType)
    return set(published.values)


@pytest.mark.parametrize("name", ["order", "open_lines", "shipped_lines", "events", "state"])
def test_each_question_stays_within_the_points_of_one_query(schema: GraphQLSchema, name: str) -> None:
    assert 0 < QueryCost(schema, parse(fulfilment_query.DOCUMENTS[name])).points({}) <= MOST_POINTS


def test_every_published_state_of_a_fulfilment_order_is_judged(schema: GraphQLSchema) -> None:
    """A new one needs a look: may it be shipped?"""
    ended = {"CANCELLED", "CLOSED"}
    assert words(schema, "FulfillmentOrderStatus") == consignments._OPEN | fulfilment._WAITING.keys() | ended


def test_every_published_state_of_a_fulfilment_is_judged(schema: GraphQLSchema) -> None:
    standing = {"SUCCESS", "OPEN", "PENDING"}
    assert words(schema, "FulfillmentStatus") == consignments._UNDONE | standing


def test_the_words_that_are_looked_for_are_published(schema: GraphQLSchema) -> None:
    assert "DELIVERED" in words(schema, "FulfillmentDisplayStatus") & words(schema, "FulfillmentEventStatus")
    assert {"INTERNAL_ERROR", "NOT_FOUND"} <= words(schema, "OrderCancelUserErrorCode")
    assert "OTHER" in words(schema, "OrderCancelReason")


def test_no_mutation_but_the_cancellation_tells_its_errors_by_a_code(schema: GraphQLSchema) -> None:
    """So their messages are searched for words."""
    error = schema.type_map["UserError"]
    assert isinstance(error, GraphQLObjectType)
    assert set(error.fields) == {"field", "message"}


def test_a_cancellation_says_all_that_it_must(schema: GraphQLSchema) -> None:
    """Nothing is left to Shopify's defaults, and nothing deprecated is used."""
    assert schema.mutation_type is not None
    arguments = schema.mutation_type.fields["orderCancel"].args
    current = {name for name, argument in arguments.items() if argument.deprecation_reason is None}
    said = {name for name in arguments if f"\n    {name}:" in fulfilment_query.CANCEL}
    assert said == current
    assert f"Maximum length of {fulfilment.LONGEST_STAFF_NOTE}" in (arguments["staffNote"].description or "")


def test_tracking_may_name_many_numbers_and_one_company(schema: GraphQLSchema) -> None:
    tracking = schema.type_map["FulfillmentTrackingInput"]
    assert isinstance(tracking, GraphQLInputObjectType)
    assert {"company", "numbers", "urls"} <= set(tracking.fields)
    assert str(tracking.fields["company"].type) == "String"
