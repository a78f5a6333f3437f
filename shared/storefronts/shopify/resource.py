"""Things of a shop that are asked for whole through the Admin GraphQL API, and their lists that come in pages."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

PLACE: Final = """fragment Place on MailingAddress {
  first_name: firstName
  last_name: lastName
  name
  company
  address1
  address2
  city
  province
  province_code: provinceCode
  zip
  country
  country_code: countryCodeV2
  phone
}"""

_SPREAD = re.compile(r"\.\.\.([A-Z]\w*)")


class Connection(NamedTuple):
    """A list of the answer that comes in pages."""

    name: str
    """What the webhook calls it."""
    field: str
    fragment: str
    size: int
    arguments: str = ""

    def select(self, after: str = "") -> str:
        arguments = ", ".join(part for part in (f"first: {self.size}", after, self.arguments) if part)
        page = f"pageInfo {{ hasNextPage endCursor }} nodes {{ ...{self.fragment} }}"
        return f"{self.name}: {self.field}({arguments}) {{ {page} }}"


class Resource(NamedTuple):
    """A thing to ask for by its global id: one document for the whole, one more for each connection's next page."""

    field: str
    of: str
    """What it is a part of: an order, a customer."""
    selection: str
    """What is asked once; it names the time of change of what it is a part of, so that no two states are mixed."""
    state: str
    connections: tuple[Connection, ...]
    fragments: Mapping[str, str]
    """By name: all that the selections may need."""

    @property
    def document(self) -> str:
        first_pages = "\n  ".join(connection.select() for connection in self.connections)
        return self._with_fragments(
            f"query Fetch($id: ID!) {{ found: {self.field}(id: $id) {{\n  {self.selection}\n  {first_pages}\n}} }}"
        )

    def next_page(self, connection: Connection) -> str:
        return self._with_fragments(
            f"query NextPage($id: ID!, $after: String!) {{ found: {self.field}(id: $id) {{\n"
            f"  {self.state}\n  {connection.select('after: $after')}\n}} }}"
        )

    def _with_fragments(self, query: str) -> str:
        """The query and the fragments that it needs, each once."""
        needed: dict[str, str] = {}
        open_names = _SPREAD.findall(query)
        while open_names:
            name = open_names.pop()
            if name not in needed:
                needed[name] = self.fragments[name]
                open_names += _SPREAD.findall(needed[name])
        return "\n".join([query, *(needed[name] for name in sorted(needed))])
