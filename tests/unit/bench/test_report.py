from dataclasses import replace

import pytest

from infra.bench.customers import AGAIN, REGISTERED, CustomerCost
from infra.bench.letters import CONFIRMED, WHOLE, LetterCost
from infra.bench.money import AGAIN as DONE_AGAIN
from infra.bench.money import MoneyCost
from infra.bench.persons import MADE, UNCHANGED, PersonCost
from infra.bench.report import MAILS, REGISTRATION_UNITS, Report
from infra.bench.units import Request

READ = Request("GetItem", 1.0)
WRITTEN = Request("TransactWriteItems", 6.0, items=3)
REGISTRATION = CustomerCost("shopify", REGISTERED, "applied", (READ, WRITTEN, READ), messages=3)
IN_STEP = PersonCost("tryton", UNCHANGED, (), port_calls=1, http_requests=1, shop_requests=0, written=2, read=4)
LETTERS = LetterCost(WHOLE, mails=MAILS, written=4, read=16)
CLOSED_AGAIN = MoneyCost(f"a day closed{DONE_AGAIN}", "closed", (READ,))


def unmet(report: Report) -> list[str]:
    return [target.what for target in report.targets() if not target.met]


def test_a_cost_tells_reads_and_writes_apart() -> None:
    assert (REGISTRATION.read, REGISTRATION.written, REGISTRATION.items) == (2.0, 6.0, 3)


def test_what_is_as_promised_misses_no_target() -> None:
    report = Report(customers=(REGISTRATION,), persons=(IN_STEP,), letters=(LETTERS,), money=(CLOSED_AGAIN,))
    assert len(list(report.targets())) == 4
    assert unmet(report) == []


@pytest.mark.parametrize(
    "report",
    [
        Report(customers=(replace(REGISTRATION, requests=(Request("PutItem", REGISTRATION_UNITS + 1),)),)),
        Report(customers=(replace(REGISTRATION, account=AGAIN),)),
        Report(persons=(replace(IN_STEP, port_calls=2),)),
        Report(letters=(replace(LETTERS, mails=MAILS + 1),)),
        Report(money=(replace(CLOSED_AGAIN, requests=(READ, WRITTEN)),)),
    ],
    ids=["a registration", "the same again", "a person in step", "mails", "a close done again"],
)
def test_what_costs_more_misses_its_target(report: Report) -> None:
    (missed,) = [target for target in report.targets() if not target.met]
    assert missed.exact


def test_other_rows_are_no_targets() -> None:
    made, confirmed = replace(IN_STEP, account=MADE, port_calls=3), replace(LETTERS, account=CONFIRMED, mails=9)
    closed = MoneyCost("a day closed", "closed", (WRITTEN,))
    assert list(Report(persons=(made,), letters=(confirmed,), money=(closed,)).targets()) == []


def test_everything_is_in_the_document() -> None:
    document = Report(
        customers=(REGISTRATION,), persons=(IN_STEP,), letters=(LETTERS,), money=(CLOSED_AGAIN,)
    ).as_document()
    parts = ("customers", "persons", "letters", "money")
    (customer,), (person,), (letter,), (close,) = (document[part] for part in parts)
    assert (close["written"], close["items"], close["read"]) == (0, 0, READ.units)
    assert (customer["items"], customer["messages"]) == (3, 3)
    assert (person["http_requests"], letter["mails"]) == (1, MAILS)
