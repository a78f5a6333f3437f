"""`storebridge money` on the local stack: from the facts to the closed day, and what people decide in between."""

import json
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.provision import Contents
from infra.local.stack import LocalStack, Options
from infra.samples.stripe import report, report_row
from shared.finance.cases import AuditRecord
from shared.finance.ports import CostPrice
from shared.orders.errands import Reason
from shared.platform.errand_queue import OrderErrand, parse
from shared.sync.tasks import TaskKind
from tests.builders.books import account, taxed
from tests.builders.finance import NOON, line, statement
from tests.builders.orders import NOON as PLACED
from tests.integration.cli.books import SETTINGS, Books, set_clock
from tests.integration.cli.conftest import CommandLine, disconnect
from tests.integration.cli.quiet import SECRETS, QuietStack, Trade

PAYMENTS = "storebridge-payments"


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with QuietStack(Options(contents=Contents(SETTINGS, SECRETS), retry_after=0)) as running:
        yield running
    disconnect()


@pytest.fixture
def books(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Books:
    disconnect()
    set_clock(monkeypatch)
    made = Books(stack)
    made.begin_anew()
    return made


def everything(books: Books) -> dict[str, Any]:
    """All that is kept of finance anywhere."""
    tables = {name: sorted(map(json_of, books.raw(name))) for name in ("FINANCE_TABLE", "SYNC_TABLE")}
    return tables | {"files": books.written()}


def json_of(item: Any) -> str:
    return json.dumps(item, sort_keys=True, default=str)


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def only_case(storebridge: CommandLine, kind: str) -> str:
    found = [one for one in storebridge.json("money", "cases")["cases"] if one["kind"] == kind]
    assert len(found) == 1, found
    case_id: str = found[0]["id"]
    return case_id


# From the facts to the closed day


def test_what_ties_out_is_reconciled_explained_and_closed(storebridge: CommandLine, books: Books) -> None:
    books.sold()
    books.stated()
    done = storebridge.json("money", "reconcile", "--no-pull")
    assert (done["discrepancies"], done["read"], done["dry_run"]) == ([], [], False)
    assert done["posted"]["new"] > 0

    told = storebridge.json("money", "explain", "aurora/5001", "--entries")
    assert (told["closes"], told["unexplained"], told["reasons"]) == (True, [], [])
    assert (told["owed"], told["receipts"], told["fees"], told["net"]) == (
        euros("50.00"),
        [euros("50.00")],
        [euros("1.00")],
        [euros("49.00")],
    )
    (share,) = told["payouts"]
    assert (share["payout"], share["net"], share["bank_line"]) == ("stripe-eu/po_5001", euros("49.00"), "main/b5001")
    assert {entry["topic"] for entry in told["entries"]} >= {"sale", "receipt", "fee"}
    assert "closes to zero" in storebridge("money", "explain", "aurora/5001").stdout

    status = storebridge.json("money", "status")
    (_, stripe) = status["accounts"]
    (tie,) = stripe["ties"]
    assert (tie["ties"], tie["books"], tie["provider"]) == (True, euros("0.00"), euros("0.00"))
    assert (status["last_closed"], status["cases"]) == (None, [])
    assert status["next"] == {"day": "2026-11-02", "missing": []}

    closed = storebridge.json("money", "close", "--by", "eli")
    assert closed["closed"] == ["2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05"]
    assert closed["stopped_at"] is None
    days = storebridge.json("money", "days", "--last", "5")["days"]
    assert [day["state"] for day in days] == ["open", "closed", "closed", "closed", "closed"]
    assert {day["closed_by"] for day in days[1:]} == {"eli"}
    assert days[1]["documents"]
    assert set(days[1]["documents"]) <= set(books.written())
    assert storebridge.json("money", "close")["closed"] == []

    trail = storebridge.json("money", "audit", "--verify")
    assert (trail["faults"], trail["days_checked"]) == ([], 4)
    assert [record["action"] for record in trail["records"]] == ["day.closed"] * 4
    noted = trail["head"]

    opened = storebridge.json("money", "reopen", "2026-11-04", "--reason", "a statement came late", "--by", "mia")
    assert opened["opened"] == ["2026-11-05", "2026-11-04"]
    (again,) = storebridge.json("money", "days", "--last", "2")["days"][0]["reopened"]
    assert (again["by"], again["reason"]) == ("mia", "a statement came late")
    assert storebridge.json("money", "audit", "--verify", "--head", noted)["faults"] == []
    refusal = storebridge.refusal("money", "reopen", "2026-11-05", "--reason", "once more")
    assert refusal["error"] == "day_not_closed"


def test_a_day_that_does_not_tie_out_stays_open_and_says_why(storebridge: CommandLine, books: Books) -> None:
    books.sold()
    books.stated(amount=250)
    storebridge.json("money", "reconcile")
    refused = storebridge("money", "close", "--json")
    assert refused.exit_code == 1
    told = json.loads(refused.stdout)
    assert (told["closed"], told["stopped_at"]["day"]) == ([], "2026-11-02")
    (missing,) = told["stopped_at"]["missing"]
    assert (missing["kind"], missing["subject"]) == ("balance_differs", "stripe-eu")
    assert (missing["expected"], missing["found"]) == (euros("0.00"), euros("2.50"))
    shown = storebridge("money", "close")
    assert shown.exit_code == 1
    assert "2026-11-02 does not close" in shown.stdout
    (_, stripe) = storebridge.json("money", "status")["accounts"]
    assert stripe["ties"][0]["difference"] == euros("2.50")


# Cases


def test_a_write_off_below_the_limit_is_one_persons(storebridge: CommandLine, books: Books) -> None:
    books.sold(taken=4500)
    books.stated()
    done = storebridge.json("money", "reconcile")
    assert [one["kind"] for one in done["discrepancies"]] == ["amount_mismatch"]
    case = only_case(storebridge, "amount_mismatch")
    told = storebridge.json("money", "case", case[:8])
    assert (told["id"], told["difference"], told["state"]) == (case, euros("-5.00"), "open")
    assert any("write-off" in line for line in told["todo"])
    remainder = storebridge.json("money", "explain", "aurora/5001")
    assert (remainder["closes"], remainder["unexplained"]) == (False, [euros("5.00")])
    assert [reason["case"] for reason in remainder["reasons"]] == [case]
    assert "Not explained: 5.00 EUR" in storebridge("money", "explain", "aurora/5001").stdout

    words = ("money", "resolve", case[:8], "--as", "write-off", "--reason", "not worth asking", "--by", "mia")
    for amount, code in (("5.001", "too_many_decimals"), ("5.01", "invalid_amount"), ("x", "invalid_money")):
        assert storebridge.refusal(*words, "--amount", amount)["error"] == code
    resolved = storebridge.json(*words)["case"]
    assert (resolved["state"], resolved["proposal"]["amount"]) == ("resolved", euros("-5.00"))
    assert storebridge.json(*words)["case"]["revision"] == resolved["revision"]
    storebridge.json("money", "reconcile")
    after = storebridge.json("money", "explain", "aurora/5001")
    assert (after["closes"], after["written_off"]) == (True, euros("5.00"))

    storebridge.json("money", "reopen-case", case, "--reason", "ask after all", "--by", "eli")
    storebridge.json("money", "reconcile")
    assert storebridge.json("money", "explain", "aurora/5001")["unexplained"] == [euros("5.00")]


def test_above_the_limit_nobody_approves_what_they_proposed(storebridge: CommandLine, books: Books) -> None:
    books.sold(total=5000, taken=7000)
    books.stated()
    storebridge.json("money", "reconcile")
    case = only_case(storebridge, "amount_mismatch")
    words = ("money", "resolve", case, "--as", "propose-refund", "--reason", "paid too much", "--by", "Mia")
    proposed = storebridge.json(*words)
    assert (proposed["case"]["state"], proposed["task"]) == ("proposed", None)
    assert storebridge.json("tasks", "list")["tasks"] == []
    refusal = storebridge.refusal("money", "approve", case, "--by", " mIA ")
    assert refusal["error"] == "self_approval"
    assert storebridge.refusal("money", "resolve", case, "--as", "accept", "--reason", "x")["error"] == (
        "already_proposed"
    )

    rehearsed = storebridge.json("money", "approve", case, "--by", "eli", "--dry-run")
    assert storebridge.json("tasks", "list")["tasks"] == []
    approved = storebridge.json("money", "approve", case, "--by", "eli")
    assert (approved["case"]["state"], approved["case"]["approved_by"]) == ("resolved", "eli")
    assert approved["task"] == rehearsed["task"] == f"{TaskKind.REFUND_PROPOSED}/aurora/{case}"
    storebridge.json("money", "approve", case, "--by", "eli")
    (task,) = storebridge.json("tasks", "list")["tasks"]
    assert task["id"] == approved["task"]
    assert f"storebridge money case {case}" in task["advice"]

    storebridge.json("tasks", "close", task["id"])
    storebridge.json("money", "comment", case, "the refund is on its way", "--by", "noa")
    assert storebridge.json("tasks", "list")["tasks"] == []  # what is done stays done

    storebridge.json("money", "reopen-case", case, "--reason", "the wrong buyer", "--by", "noa")
    actions = [record["action"] for record in storebridge.json("money", "audit")["records"]]
    assert actions == ["case.proposed", "case.approved", "case.commented", "case.reopened"]


def test_the_task_to_refund_goes_when_it_is_decided_anew(storebridge: CommandLine, books: Books) -> None:
    books.sold(total=5000, taken=5500)
    storebridge.json("money", "reconcile")
    case = only_case(storebridge, "amount_mismatch")
    words = ("money", "resolve", case, "--as", "propose-refund", "--amount", "2.50", "--reason", "too much")
    resolved = storebridge.json(*words)
    assert (resolved["case"]["state"], resolved["case"]["proposal"]["amount"]) == ("resolved", euros("2.50"))
    assert [task["id"] for task in storebridge.json("tasks", "list")["tasks"]] == [resolved["task"]]
    storebridge.json("money", "reopen-case", case, "--reason", "the wrong buyer", "--dry-run")
    assert len(storebridge.json("tasks", "list")["tasks"]) == 1
    storebridge.json("money", "reopen-case", case, "--reason", "the wrong buyer")
    assert storebridge.json("tasks", "list")["tasks"] == []


def test_a_proposal_may_be_refused(storebridge: CommandLine, books: Books) -> None:
    books.sold(taken=3000)
    storebridge.json("money", "reconcile")
    case = only_case(storebridge, "amount_mismatch")
    storebridge.json("money", "resolve", case, "--as", "write-off", "--reason", "lost", "--by", "mia")
    refused = storebridge.json("money", "refuse", case, "--reason", "he pays on Monday", "--by", "eli")["case"]
    assert (refused["state"], refused["proposal"]) == ("open", None)
    assert refused["comments"][-1]["text"] == "he pays on Monday"


def test_money_of_no_order_is_linked_by_hand(storebridge: CommandLine, books: Books) -> None:
    books.keep(statement("5002"), line("txn_x", 4800, at=NOON.replace(hour=13), payment_id="ch_x"))
    storebridge.json("money", "reconcile")
    cases = storebridge.json("money", "cases", "--account", "stripe-eu")["cases"]
    subjects = {one["subject"] for one in cases}
    assert "line:stripe-eu/txn_x" in subjects, cases
    case = next(one["id"] for one in cases if one["subject"] == "line:stripe-eu/txn_x")
    words = ("money", "resolve", case, "--as", "relink", "--reason", "the buyer told us", "--by", "mia")
    assert storebridge.refusal(*words)["error"] == "link_missing"
    assert storebridge.refusal(*words, "--to", "aurora/404")["error"] == "unknown_order"
    linked = storebridge.json(*words, "--to", "aurora/5002")["case"]
    assert linked["proposal"]["link"] == "aurora/5002"
    with books.inside() as table:
        assert table.links() == {"stripe-eu/txn_x": "aurora/5002"}
    storebridge.json("money", "reconcile")
    told = storebridge.json("money", "explain", "aurora/5002")
    assert "staff" in {movement["matched_by"] for movement in told["movements"]}


def test_cases_are_found_by_what_is_asked(storebridge: CommandLine, books: Books) -> None:
    books.sold("5001", taken=4500)
    books.sold("5002", taken=5500)
    storebridge.json("money", "reconcile")
    listed = storebridge.json("money", "cases")["cases"]
    assert len(listed) == 2
    first, second = (one["id"] for one in listed)
    given = storebridge.json("money", "assign", first, "--owner", "mia", "--by", "eli")["case"]
    assert given["owner"] == "mia"
    storebridge.json("money", "comment", first, "asked the provider", "--by", "mia")
    storebridge.json("money", "comment", first, "asked the provider", "--by", "mia")
    (said,) = storebridge.json("money", "case", first)["comments"]
    assert (said["by"], said["text"]) == ("mia", "asked the provider")

    def ids(*words: str) -> list[str]:
        return [one["id"] for one in storebridge.json("money", "cases", *words)["cases"]]

    assert ids("--owner", "mia") == [first]
    assert ids("--kind", "amount_mismatch") == [first, second]
    assert ids("--kind", "missing_order") == []
    assert ids("--older-than", "3") == [first, second]
    assert ids("--older-than", "4") == []
    assert ids("--account", "alipay-cn") == []
    assert set(ids("--blocking")) == {one["id"] for one in listed if one["blocks"]}
    storebridge.json("money", "resolve", first, "--as", "accept", "--reason", "agreed by phone")
    assert ids() == [second]
    assert ids("--state", "resolved") == [first]
    assert ids("--state", "all", "--limit", "1") == [first]
    assert storebridge.refusal("money", "case", "")["error"] == "unknown_case"
    shown = storebridge("money", "case", second)
    assert (shown.exit_code, "what to do next" in shown.stdout) == (0, True)


# Files


def rows(*numbers: int, **changes: str) -> bytes:
    made = (
        report_row(
            balance_transaction_id=f"txn_{number}",
            charge_id=f"ch_{number}",
            source_id=f"ch_{number}",
            created_utc=f"2026-11-0{number} 09:00:00",
        )
        for number in numbers
    )
    return report(*({**row, **changes} for row in made))


def test_a_file_twice_and_one_that_overlaps_change_nothing_more(storebridge: CommandLine, books: Books) -> None:
    first = storebridge.file("first.csv", rows(1, 2))
    second = storebridge.file("second.csv", rows(2, 3))
    rehearsed = storebridge.json("money", "import", first, "--account", "stripe-eu", "--dry-run")["files"]
    taken = storebridge.json("money", "import", first, second, "--account", "stripe-eu", "--by", "mia")["files"]
    assert rehearsed[0] == taken[0]
    assert [(one["new"], one["same"]) for one in taken] == [(2, 0), (1, 1)]
    assert taken[0]["kind"] == "stripe balance report"
    facts = [item for item in books.raw() if item["sk"]["S"] == "fact"]
    again = storebridge.json("money", "import", second, first, "--account", "stripe-eu")["files"]
    assert [(one["new"], one["changed"], one["same"]) for one in again] == [(0, 0, 2), (0, 0, 2)]
    assert sorted(map(json_of, facts)) == sorted(json_of(item) for item in books.raw() if item["sk"]["S"] == "fact")
    (_, stripe) = storebridge.json("money", "status")["accounts"]
    assert stripe["feed"]["read_until"] == "2026-11-03T09:00:00Z"
    imports = [one for one in storebridge.json("money", "audit")["records"] if one["action"] == "file.imported"]
    assert [one["actor"] for one in imports[:2]] == ["mia", "mia"]


def test_a_file_with_faults_ends_with_1_and_says_what_was_kept(storebridge: CommandLine, books: Books) -> None:
    broken = rows(1, 2).replace(b"44.12", b"44.13", 1)
    refused = storebridge("money", "import", storebridge.file("b.csv", broken), "--account", "stripe-eu", "--json")
    assert (refused.exit_code, refused.stderr) == (1, "")
    (told,) = json.loads(refused.stdout)["files"]
    assert (told["new"], told["faults_in_all"]) == (1, 1)
    assert told["faults"][0]["code"] == "sums_differ"
    (_, stripe) = storebridge.json("money", "status")["accounts"]
    assert stripe["feed"]["read_until"] is None
    shown = storebridge("money", "import", storebridge.file("b.csv", broken), "--account", "stripe-eu")
    assert (shown.exit_code, "The rest of the file was kept." in shown.stdout) == (1, True)
    del books


def test_a_file_from_long_ago_says_how_it_comes_into_the_books(storebridge: CommandLine, books: Books) -> None:
    old = rows(1, created_utc="2026-02-14 09:00:00")
    (told,) = storebridge.json("money", "import", storebridge.file("old.csv", old), "--account", "stripe-eu")["files"]
    assert told["reconcile_since"] == "2026-02-14"
    (again,) = storebridge.json("money", "import", storebridge.file("old.csv", old), "--account", "stripe-eu")["files"]
    assert again["reconcile_since"] is None
    older = storebridge.file("older.csv", rows(2, created_utc="2026-01-31 09:00:00"))
    shown = storebridge("money", "import", older, "--account", "stripe-eu").stdout
    assert "storebridge money reconcile --since 2026-01-31" in shown
    del books


def test_a_file_of_another_account_stops_no_other(storebridge: CommandLine, books: Books) -> None:
    good = storebridge.file("good.csv", rows(1))
    bill = storebridge.file("bank.csv", b"Date,Amount,Text\r\n2026-11-05,44.12,STRIPE PAYOUT\r\n")
    refused = storebridge("money", "import", good, bill, "--account", "stripe-eu", "--json")
    assert refused.exit_code == 1
    kept, other = json.loads(refused.stdout)["files"]
    assert (kept["new"], kept["error"]) == (1, None)
    assert (other["new"], other["error"]["error"]) == (0, "unknown_file")
    (banked,) = storebridge.json("money", "import", bill, "--bank", "main")["files"]
    assert (banked["new"], banked["account"]) == (1, "main")
    assert storebridge.refusal("money", "import", bill, "--bank", "nope")["error"] == "unknown_bank"
    assert storebridge.refusal("money", "import", good, exit_code=2)["error"] == "usage"
    del books


def test_costs_are_taken_in_whole_or_not_at_all(storebridge: CommandLine, books: Books) -> None:
    good = storebridge.file("costs.csv", b"sku;currency;cost;since\nMUG;EUR;3.20;2026-01-01\nCAP;JPY;500;2026-01-01\n")
    assert storebridge.json("money", "costs", good, "--dry-run")["changed"] == 2
    assert storebridge.json("money", "costs", "--sku", "MUG")["costs"] == []
    assert storebridge.json("money", "costs", good)["changed"] == 2
    assert storebridge.json("money", "costs", good)["changed"] == 0
    assert storebridge.json("money", "costs", "--sku", "MUG")["costs"] == [
        {"sku": "MUG", "cost": euros("3.20"), "since": "2026-01-01"}
    ]
    bad = storebridge.file(
        "bad.csv", b"sku,currency,cost,since\nPEN,EUR,1,2026-01-01\nMUG,EUR,-1,soon\nX,E,1,2026-01-01\n"
    )
    refusal = storebridge.refusal("money", "costs", bad)
    assert refusal["error"] == "invalid_rows"
    assert all(part in refusal["message"] for part in ("row 3, cost", "row 3, since", "row 4, currency"))
    with books.inside() as table:
        assert table.costs(["PEN", "CAP"]) == {
            "CAP": (CostPrice("CAP", "JPY", 500, table.costs(["CAP"])["CAP"][0].since),)
        }


# The trail


def records_of(books: Books) -> list[dict[str, Any]]:
    return sorted((item for item in books.raw() if item["pk"]["S"] == "audit"), key=lambda item: item["sk"]["S"])


def unpacked(item: dict[str, Any]) -> AuditRecord:
    return AuditRecord.model_validate_json(zlib.decompress(item["body"]["B"]))


def with_a_trail(storebridge: CommandLine, books: Books) -> None:
    books.sold()
    books.stated()
    storebridge.json("money", "reconcile")
    storebridge.json("money", "close", "--by", "eli")


def test_a_record_that_was_changed_is_found(storebridge: CommandLine, books: Books) -> None:
    with_a_trail(storebridge, books)
    item = records_of(books)[1]
    forged = unpacked(item).model_copy(update={"actor": "nobody"})
    books.put({**item, "body": {"B": zlib.compress(forged.model_dump_json(exclude_defaults=True).encode())}})
    found = storebridge("money", "audit", "--verify", "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["faults"] == ["record 2 was changed after it was written"]
    assert "record 2" in storebridge("money", "audit", "--verify").stdout
    assert storebridge.json("money", "audit")["verified"] is False


def test_a_record_that_is_none_any_more_is_a_fault_too(storebridge: CommandLine, books: Books) -> None:
    with_a_trail(storebridge, books)
    item = records_of(books)[2]
    books.put({**item, "body": {"B": b"scribble"}})
    for words in (("--verify",), ()):
        found = storebridge("money", "audit", *words, "--json")
        assert found.exit_code == 1
        told = json.loads(found.stdout)
        assert "what follows record 2 cannot be read" in told["faults"][0]
        assert told["number"] == 2


def test_a_day_that_a_forged_record_names_is_not_looked_for(storebridge: CommandLine, books: Books) -> None:
    with_a_trail(storebridge, books)
    item = records_of(books)[0]
    forged = unpacked(item).model_copy(update={"subject": "the second of November"})
    books.put({**item, "body": {"B": zlib.compress(forged.model_dump_json(exclude_defaults=True).encode())}})
    told = json.loads(storebridge("money", "audit", "--verify", "--json").stdout)
    assert told["faults"] == ["record 1 was changed after it was written"]
    assert told["days_checked"] == 3


def test_records_that_are_missing_are_found_at_the_end_too(storebridge: CommandLine, books: Books) -> None:
    with_a_trail(storebridge, books)
    head = storebridge.json("money", "audit")["head"]
    books.delete(records_of(books)[-1:])
    told = json.loads(storebridge("money", "audit", "--verify", "--head", head, "--json").stdout)
    assert told["faults"][0] == "record 4 is missing"
    assert told["faults"][1].endswith("something is missing after record 3")
    books.delete(records_of(books)[:1])
    told = json.loads(storebridge("money", "audit", "--verify", "--json").stdout)
    assert "record 1 is missing" in told["faults"]
    assert storebridge.refusal("money", "audit", "--verify", "--head", "x")["error"] == "invalid_head"


def test_entries_of_a_closed_day_that_were_changed_are_found(storebridge: CommandLine, books: Books) -> None:
    with_a_trail(storebridge, books)
    entries = [item for item in books.raw() if item["pk"]["S"] == "entries/2026-11-02"]
    books.delete(entries[:1])
    found = storebridge("money", "audit", "--verify", "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["faults"] == [
        "the entries of 2026-11-02 are not those that record 1 closed it with"
    ]


# Nothing is written in a dry run


def test_dry_runs_write_nothing(storebridge: CommandLine, books: Books) -> None:
    books.sold("5001", taken=4500)
    books.sold("5002", taken=9000)
    books.stated()
    storebridge.json("money", "reconcile")
    small, large = (
        one["id"] for one in sorted(storebridge.json("money", "cases")["cases"], key=lambda one: one["subject"])
    )
    storebridge.json("money", "resolve", large, "--as", "propose-refund", "--reason", "too much", "--by", "mia")
    storebridge.json("money", "resolve", small, "--as", "accept", "--reason", "agreed", "--by", "mia")
    books.keep(line("txn_new", 777, at=NOON))
    before = everything(books)
    file = storebridge.file("r.csv", rows(1))
    costs = storebridge.file("c.csv", b"sku,currency,cost,since\nMUG,EUR,1,2026-01-01\n")
    words: list[tuple[str, ...]] = [
        ("reconcile", "--dry-run"),
        ("assign", large, "--owner", "eli", "--dry-run"),
        ("comment", large, "hm", "--dry-run"),
        ("approve", large, "--by", "eli", "--dry-run"),
        ("refuse", large, "--reason", "no", "--dry-run"),
        ("reopen-case", small, "--reason", "again", "--dry-run"),
        ("import", file, "--account", "stripe-eu", "--dry-run"),
        ("costs", costs, "--dry-run"),
        ("backfill", "--since", "2026-01-01", "--dry-run"),
    ]
    for command in words:
        told = storebridge("money", *command, "--json")
        assert (told.exit_code, json.loads(told.stdout)["dry_run"]) == (0, True), told.output
        shown = storebridge("money", *command)
        assert "Dry run: nothing is written." in shown.stdout, command
    assert storebridge("money", "close", "--dry-run").exit_code in (0, 1)
    assert everything(books) == before


def test_a_close_is_foretold_and_its_reopening_too(storebridge: CommandLine, books: Books) -> None:
    books.sold()
    books.stated()
    storebridge.json("money", "reconcile")
    before = everything(books)
    foretold = storebridge.json("money", "close", "--dry-run", "--by", "eli")
    assert everything(books) == before
    done = storebridge.json("money", "close", "--by", "eli")
    assert foretold["closed"] == done["closed"]
    before = everything(books)
    foretold = storebridge.json("money", "reopen", "2026-11-03", "--reason", "x", "--dry-run")
    assert everything(books) == before
    assert foretold["opened"] == storebridge.json("money", "reopen", "2026-11-03", "--reason", "x")["opened"]


# Orders from before


def test_orders_from_before_are_sent_to_the_books(storebridge: CommandLine, books: Books) -> None:
    trade = Trade(books.stack)
    sold = [trade.sold(account(taxed("MUG", 1, "12.10", "2.10"), order_id=number)) for number in ("7001", "7002")]
    trade.take(PAYMENTS)
    day = PLACED.date().isoformat()
    foretold = storebridge.json("money", "backfill", "--since", day, "--until", day, "--dry-run")
    assert (foretold["selected"], foretold["sent"], trade.take(PAYMENTS)) == (2, 0, [])
    assert storebridge.json("money", "backfill", "--since", day, "--until", day, "--shop", "borealis")["sent"] == 0
    assert storebridge.json("money", "backfill", "--since", day, "--until", day, "--shop", "aurora")["sent"] == 2
    errands = [parse(message["body"]) for message in trade.take(PAYMENTS)]
    assert {str(errand.key) for errand in errands if isinstance(errand, OrderErrand)} == set(sold)
    assert {errand.reasons for errand in errands if isinstance(errand, OrderErrand)} == {(Reason.ASKED,)}
    refusal = storebridge.refusal("money", "backfill", "--since", day, "--until", "2020-01-01")
    assert refusal["error"] == "invalid_period"
