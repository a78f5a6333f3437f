"""What the scenes about customers need beside the house: the mails that buyers get, the pages behind the links in them,
and what each side knows of a person."""

import gzip
import json
import re
import sqlite3
from contextlib import closing
from html.parser import HTMLParser
from typing import Any

from moto.ses.models import ses_backends

from infra.demo.backoffice_stage import House
from infra.local.intrinsics import ACCOUNT, REGION
from shared.backoffices.documents import CustomerCard
from shared.customers.record import CustomerRecord
from shared.kernel.identifiers import CustomerKey
from shared.webhooks.delivery import Delivery


class Page:
    """A page of ours as a buyer's browser gets it."""

    def __init__(self, status: int, html: str) -> None:
        self.status = status
        self.html = html
        words = _Words()
        words.feed(html)
        self.words = " ".join(words.found)


class _Words(HTMLParser):
    """What a page says, without its style sheet and its title."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base's signature
        self._silent = tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.found.append(" ".join(data.split()))


def opened(house: House, path: str) -> Page:
    """The buyer opens a link."""
    answer = house.stage.http.get(path)
    return Page(answer.status_code, answer.text)


def answered(house: House, path: str, action: str) -> Page:
    """The buyer presses a button of the page: `confirm`, or `decline`."""
    answer = house.stage.http.post(path, data={"action": action})
    return Page(answer.status_code, answer.text)


def links(address: str, page: str) -> list[str]:
    """Paths of the links to a page of ours (`verify`, `track`) in the mails to an address, the oldest first, each
    once."""
    found = [link for mail in mails_to(address) for link in re.findall(rf"/{page}/[A-Za-z0-9._-]+", str(mail.body))]
    return list(dict.fromkeys(found))


def mails_to(address: str) -> list[Any]:
    """What the stack handed to SES."""
    sent = ses_backends[ACCOUNT][REGION].sent_messages
    return [mail for mail in sent if address in mail.destinations["ToAddresses"]]


def record_of(house: House, key: CustomerKey) -> CustomerRecord:
    found = house.customers.find(key)
    if found is None:
        raise LookupError(f"customer {key} is not there")
    return found


def party_of(house: House, key: CustomerKey) -> CustomerCard | None:
    """What Tryton shows of a customer."""
    found = house.erp.find_customer(str(key))
    return found.card if found else None


def registered_at_aurora(house: House, **fields: Any) -> CustomerKey:
    """A buyer makes an account there; returns once we know."""
    key = CustomerKey.of_account("aurora", house.stage.shops.aurora.customers.register(**fields))
    house.settle()
    return key


def registered_at_borealis(house: House, email: str, **members: str) -> CustomerKey:
    """The same at the other shop."""
    account = house.stage.shops.borealis.register(email, **members)
    house.settle()
    return CustomerKey.of_account("borealis", str(account.id))


def writes(house: House) -> tuple[int, int]:
    """How often each shop's accounts were written to by us."""
    shops = house.stage.shops
    return shops.aurora.customers.writes, shops.borealis.customers.writes


# ---- where a word may have been left ----


def rows_with(house: House, word: str) -> int:
    """In how many rows of Tryton's own database it stands."""
    with closing(sqlite3.connect(house.server.database_file)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = (
            row
            for table in tables
            for row in database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 # nosec B608 - the database's own names
        )
        return sum(any(word in str(cell) for cell in row) for row in rows)


def archived_with(house: House, word: str) -> int:
    """In how many of the archived deliveries it stands."""
    s3 = house.stage.stack.client("s3")
    bucket = house.stage.stack.deployment.archive
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    packed = (s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys if key.endswith(".gz"))
    lines = (line for content in packed for line in gzip.decompress(content).decode().split("\n") if line)
    return sum(word in _body_of(line) for line in lines)


def _body_of(line: str) -> str:
    return Delivery.from_message(json.loads(line)["body"]).body.decode()
