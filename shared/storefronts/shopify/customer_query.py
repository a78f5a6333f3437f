"""How a customer is asked for and written through the Admin GraphQL API, and how an answer gets the webhook's shape.

Unlike a webhook, an answer tells the language, the tags and what the customer consented to.
Source of the names: Shopify's published Admin schema 2026-10; a contract test checks every document against it.
"""

from collections.abc import Mapping
from typing import Final

from shared.storefronts.shopify.figures import exact_id
from shared.storefronts.shopify.graphql import Node
from shared.storefronts.shopify.resource import PLACE, Connection, Resource

_FRAGMENTS: Final = {
    "BookEntry": """fragment BookEntry on MailingAddress {
  admin_graphql_api_id: id
  ...Place
}""",
    "Place": PLACE,
}
_UPDATED: Final = "updated_at: updatedAt"

CUSTOMER: Final = Resource(
    field="customer",
    of="customer",
    state=_UPDATED,
    selection=f"""admin_graphql_api_id: id
  created_at: createdAt
  {_UPDATED}
  first_name: firstName
  last_name: lastName
  state
  note
  tags
  locale
  verified_email: verifiedEmail
  tax_exempt: taxExempt
  email: defaultEmailAddress {{
    address: emailAddress
    consent: marketingState
    opt_in_level: marketingOptInLevel
    consent_updated_at: marketingUpdatedAt
  }}
  phone: defaultPhoneNumber {{
    number: phoneNumber
    consent: smsMarketingConsent {{ state opt_in_level: optInLevel consent_updated_at: updatedAt }}
  }}
  default_address: defaultAddress {{ ...BookEntry }}""",
    connections=(Connection("addresses", "addressesV2", "BookEntry", 50),),
    fragments=_FRAGMENTS,
)

CHANGED_CUSTOMERS: Final = """query ChangedCustomers($query: String!, $after: String) {
  found: customers(first: 50, after: $after, sortKey: UPDATED_AT, query: $query) {
    nodes { admin_graphql_api_id: id updated_at: updatedAt created_at: createdAt }
    pageInfo { hasNextPage endCursor }
  }
}"""
"""The customers that a search finds, by id and times, oldest change first."""

SHOWN: Final = """query Shown($id: ID!) { found: customer(id: $id) {
  firstName
  lastName
  locale
  email: defaultEmailAddress { emailAddress }
  phone: defaultPhoneNumber { phoneNumber }
  address: defaultAddress {
    id firstName lastName company address1 address2 city province provinceCode zip countryCode: countryCodeV2 phone
  }
} }"""
"""What may be written of a customer, as it is now, by the names that the input has."""

UPDATE: Final = """mutation UpdateCustomer($input: CustomerInput!) {
  result: customerUpdate(input: $input) { customer { id } userErrors { field message } }
}"""

UPDATE_ADDRESS: Final = """mutation UpdateAddress($customer: ID!, $id: ID!, $address: MailingAddressInput!) {
  result: customerAddressUpdate(customerId: $customer, addressId: $id, address: $address) {
    address { id }
    userErrors { field message }
  }
}"""

CREATE_ADDRESS: Final = """mutation CreateAddress($customer: ID!, $address: MailingAddressInput!) {
  result: customerAddressCreate(customerId: $customer, address: $address, setAsDefault: true) {
    address { id }
    userErrors { field message }
  }
}"""

DOCUMENTS: Final[Mapping[str, str]] = {
    "customer": CUSTOMER.document,
    **{f"customer.{item.name}": CUSTOMER.next_page(item) for item in CUSTOMER.connections},
    "changed_customers": CHANGED_CUSTOMERS,
    "shown": SHOWN,
    "update": UPDATE,
    "update_address": UPDATE_ADDRESS,
    "create_address": CREATE_ADDRESS,
}
"""Every document about customers that this package sends, by what it asks for."""
QUESTIONS: Final = ("customer", "customer.addresses", "changed_customers", "shown")
"""Those that only read."""


def webhook_shape(customer: Node) -> Node:
    """The customer, with all pages of its addresses, as a webhook would state it."""
    email, phone = customer["email"] or {}, customer["phone"] or {}
    usual = customer["default_address"]
    return {
        **customer,
        "id": exact_id(customer["admin_graphql_api_id"]),
        "state": _lower(customer["state"]),
        "email": email.get("address"),
        "phone": phone.get("number"),
        "default_address": usual and _entry(usual, usual),
        "addresses": [_entry(each, usual) for each in customer["addresses"]],
        "email_marketing_consent": _consent({**email, "state": email["consent"]}) if email else None,
        "sms_marketing_consent": _consent(phone["consent"]) if phone else None,
    }


def _entry(entry: Node, usual: Node | None) -> Node:
    """The global id of an address holds more than its number, and changes with what is asked for."""
    place = {name: value for name, value in entry.items() if name != "admin_graphql_api_id"}
    number = exact_id(entry["admin_graphql_api_id"])
    return {**place, "id": number, "default": usual is not None and number == exact_id(usual["admin_graphql_api_id"])}


def _consent(consent: Node) -> Node:
    return {
        "state": _lower(consent["state"]),
        "opt_in_level": _lower(consent["opt_in_level"]),
        "consent_updated_at": consent["consent_updated_at"],
    }


def _lower(word: str | None) -> str | None:
    return word.lower() if word else None
