"""What Shopify Payments are asked, and the words they answer with, stand in Shopify's published Admin schema."""

import pytest
from graphql import GraphQLEnumType, GraphQLSchema, NoDeprecatedCustomRule, parse, validate

from infra.fakes.shopify_cost import QueryCost
from infra.fakes.shopify_schema import admin_schema
from infra.local.shopify_schema import SCHEMA_FILE
from shared.finance.models import LineKind
from shared.payments.shopify_payments import queries
from shared.payments.shopify_payments.categories import kind_of
from shared.payments.shopify_payments.mapping import STATES

MOST_POINTS = 1000
MOST_IDS = 100


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    if not SCHEMA_FILE.exists():
        pytest.skip("Shopify's Admin schema is not there: run python -m infra.local.fetch")
    return admin_schema()


def words(schema: GraphQLSchema, name: str) -> set[str]:
    published = schema.type_map[name]
    assert isinstance(published, GraphQLEnumType)
    return set(published.values)


@pytest.mark.parametrize("name", queries.DOCUMENTS)
def test_each_document_is_valid_current_and_not_too_costly(name: str, schema: GraphQLSchema) -> None:
    document = parse(queries.DOCUMENTS[name])
    assert validate(schema, document) == []
    assert validate(schema, document, [NoDeprecatedCustomRule]) == []
    variables = {"query": "", "after": None, "ids": ["gid://shopify/OrderTransaction/1"] * MOST_IDS}
    assert 0 < QueryCost(schema, document).points(variables) <= MOST_POINTS


def test_a_page_of_movements_has_no_more_refunds_than_one_question_takes() -> None:
    assert queries.MOVEMENTS_PAGE <= MOST_IDS


def test_the_filters_are_published(schema: GraphQLSchema) -> None:
    account = schema.type_map["ShopifyPaymentsAccount"]
    for field, filters in (
        ("balanceTransactions", ("processed_at", "payments_transfer_id")),
        ("payouts", ("issued_at",)),
    ):
        described = account.fields[field].args["query"].description  # type: ignore[attr-defined]  # an object type
        assert all(f"| {name} |" in described for name in filters)


def test_every_published_word_has_its_kind(schema: GraphQLSchema) -> None:
    for word in words(schema, "ShopifyPaymentsTransactionType"):
        for gross in (-1, 1):
            assert kind_of(word, None, gross) is not LineKind.UNKNOWN, word


def test_every_published_state_of_a_payout_has_its_own(schema: GraphQLSchema) -> None:
    assert words(schema, "ShopifyPaymentsPayoutStatus") <= STATES.keys()


def test_disputes_are_a_published_source(schema: GraphQLSchema) -> None:
    assert "DISPUTE" in words(schema, "ShopifyPaymentsSourceType")
