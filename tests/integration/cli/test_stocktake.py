"""`storebridge stocktake` on the local stack: from the sheet to the stock."""

import csv
import io
import json
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from tests.integration.cli.conftest import CommandLine, line

_numbers = count(1)


@pytest.fixture
def prefix() -> str:
    """SKUs of this test alone: the stack is shared."""
    return f"T{next(_numbers)}-"


def contents(storebridge: CommandLine) -> dict[str, list[str]]:
    """What is kept, once the streams have told the ledger everything."""
    storebridge.stack.drain()
    return storebridge.contents()


def set_stock(storebridge: CommandLine, **levels: int) -> None:
    for sku, units in levels.items():
        storebridge.json("stock", "set", sku, "main", str(units))


def opened(storebridge: CommandLine, prefix: str, *words: str) -> str:
    document = storebridge.json("stocktake", "open", "main", "--prefix", prefix, "--by", "lead", *words)
    session: str = document["stocktake"]["id"]
    return session


def on_hand(storebridge: CommandLine, sku: str) -> int:
    (found,) = storebridge.json("stock", "show", sku)["stock"]
    units: int = found["on_hand"]
    return units


def state_of(storebridge: CommandLine, session: str) -> str:
    state: str = storebridge.json("stocktake", "show", session)["stocktake"]["state"]
    return state


def test_from_the_sheet_to_the_stock(storebridge: CommandLine, prefix: str, tmp_path: Path) -> None:
    mug, cap, pen = (f"{prefix}{name}" for name in ("MUG", "CAP", "PEN"))
    set_stock(storebridge, **{mug: 10, cap: 4, pen: 7})
    costs = storebridge.file("costs.csv", f"sku;zone;unit_cost\n{mug};A1;3.20\n{cap};B2;5\n".encode())
    session = opened(storebridge, prefix, "--catalogue", costs, "--currency", "EUR", "--approval-value", "100")
    assert state_of(storebridge, session) == "draft"

    sheet = tmp_path / "sheet.csv"
    storebridge.json("stocktake", "sheet", session, "--out", str(sheet))
    rows = list(csv.DictReader(io.StringIO(sheet.read_text(encoding="utf-8-sig"))))
    assert [(row["sku"], row["zone"], row["counted"]) for row in rows] == [
        (pen, "", ""),
        (mug, "A1", ""),
        (cap, "B2", ""),
    ]

    filled = storebridge.file(
        "filled.csv", f"\ufeffsku;counted;counter\r\n{mug};8;mia\r\n{cap};4;mia\r\n{pen};;\r\n".encode()
    )
    taken = storebridge.json("stocktake", "import", session, filled, "--now")
    assert {each["sku"]: each["standing"] for each in taken["lines"]} == {mug: "recount", cap: "accepted"}
    again = storebridge.json("stocktake", "import", session, filled, "--now")
    assert again["lines"] == taken["lines"]
    (waiting,) = storebridge.json("stocktake", "recounts", session)["recounts"]
    assert (waiting["sku"], waiting["counters"]) == (mug, ["mia"])

    refusal = storebridge.refusal("stocktake", "count", session, mug, "8", "--by", "Mia ")
    assert (refusal["error"], refusal["field"]) == ("same_counter", "counter")
    assert storebridge.refusal("stocktake", "close", session)["error"] == "recounts_open"
    storebridge.json("stocktake", "count", session, mug, "8", "--by", "noa")
    closed = storebridge.json("stocktake", "close", session)
    assert closed["tally"] == {"uncounted": 1, "recount": 0, "accepted": 2}
    assert closed["net_value"] == {"amount": "-6.40", "currency": "EUR"}

    assert storebridge.refusal("stocktake", "post", session)["error"] == "wrong_state"
    assert storebridge.json("stocktake", "approve", session, "--by", "eli")["stocktake"]["approved_by"] == "eli"
    done = storebridge.json("stocktake", "post", session, "--by", "eli")
    assert done["posted"] == [{"sku": cap, "units": 0}, {"sku": mug, "units": -2}]
    assert done["untouched"] == [pen]
    assert [on_hand(storebridge, sku) for sku in (mug, cap, pen)] == [8, 4, 7]
    (found,) = storebridge.json("stock", "show", mug)["stock"]
    assert found["cause"] == {"kind": "stocktake", "reference": session, "actor": "eli"}

    before = contents(storebridge)
    assert storebridge.json("stocktake", "post", session)["posted"] == done["posted"]
    assert contents(storebridge) == before
    outcome = tmp_path / "result.csv"
    storebridge.json("stocktake", "show", session, "--csv", str(outcome))
    results = {row["sku"]: row for row in csv.DictReader(io.StringIO(outcome.read_text(encoding="utf-8-sig")))}
    assert (results[mug]["variance"], results[mug]["value"], results[mug]["counter"]) == ("-2", "-6.40", "mia / noa")
    assert (results[pen]["standing"], results[pen]["variance"]) == ("uncounted", "")
    assert session in [each["id"] for each in storebridge.json("stocktake", "list")["stocktakes"]]


def test_nobody_sees_the_book_while_people_count(storebridge: CommandLine, prefix: str, tmp_path: Path) -> None:
    sku = f"{prefix}MUG"
    set_stock(storebridge, **{sku: 7531})
    session = opened(storebridge, prefix)
    calls: list[tuple[str, ...]] = [
        ("sheet", session),
        ("sheet", session, "--out", str(tmp_path / "s.csv")),
        ("show", session),
        ("count", session, sku, "12", "--by", "mia", "--dry-run"),
        ("count", session, sku, "12", "--by", "mia"),
        ("recounts", session),
        ("show", session),
        ("close", session, "--leave-open", "--dry-run"),
        ("list",),
    ]
    for words in calls:
        for form in ((), ("--json",)):
            if words[0] == "count" and "--dry-run" not in words and form:
                continue  # it is counted once
            told = storebridge("stocktake", *words, *form)
            assert told.exit_code == 0, told.output
            assert "7531" not in told.output
            assert "7519" not in told.output
    assert "7531" not in (tmp_path / "s.csv").read_text(encoding="utf-8-sig")
    refusal = storebridge.refusal("stocktake", "show", session, "--csv", str(tmp_path / "r.csv"))
    assert refusal["error"] == "blind_count"
    assert not (tmp_path / "r.csv").exists()


def test_a_dry_run_writes_nothing(storebridge: CommandLine, prefix: str) -> None:
    sku = f"{prefix}MUG"
    set_stock(storebridge, **{sku: 5})
    before = contents(storebridge)
    assert storebridge.json("stocktake", "open", "main", "--prefix", prefix, "--dry-run")["skus"] == [sku]
    assert contents(storebridge) == before
    session = opened(storebridge, prefix)
    sheet = storebridge.file("sheet.csv", f"sku,counted\n{sku},3\n".encode())
    steps: list[tuple[tuple[str, ...], tuple[str, ...] | None]] = [
        (("count", session, sku, "3", "--by", "mia"), None),
        (("import", session, sheet, "--now", "--by", "mia"), ("import", session, sheet, "--now", "--by", "mia")),
        (("close", session, "--leave-open"), None),
        (("cancel", session), None),
        (("count", session, sku, "3", "--by", "noa"), ("count", session, sku, "3", "--by", "noa")),
        (("close", session), ("close", session)),
        (("approve", session, "--by", "eli"), ("approve", session, "--by", "eli")),
        (("post", session), ("post", session)),
    ]
    for rehearsed, earnest in steps:
        before = contents(storebridge)
        foretold = storebridge.json("stocktake", *rehearsed, "--dry-run")
        assert foretold["dry_run"] is True
        assert contents(storebridge) == before, rehearsed
        if earnest:
            happened = storebridge.json("stocktake", *earnest)
            assert happened["stocktake"]["state"] == foretold["stocktake"]["state"]
            assert contents(storebridge) != before
    assert on_hand(storebridge, sku) == 3


def test_orders_go_before_a_count_that_would_break_them(storebridge: CommandLine, prefix: str) -> None:
    sku = f"{prefix}MUG"
    set_stock(storebridge, **{sku: 5})
    storebridge.receive(7101, line(sku, 4))
    session = opened(storebridge, prefix, "--tolerance-units", "9")
    storebridge.json("stocktake", "count", session, sku, "3", "--by", "mia")
    storebridge.json("stocktake", "close", session)
    storebridge.json("stocktake", "approve", session, "--by", "mia")
    result = storebridge("stocktake", "post", session, "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    (refused,) = document["refused"]
    assert (refused["reserved"], refused["left"]) == (4, 3)
    assert "cancel or ship the orders" in refused["hint"]
    assert document["stocktake"]["state"] == "approved"
    assert on_hand(storebridge, sku) == 5
    assert storebridge.refusal("stocktake", "cancel", session)["error"] == "posting_began"
    left = storebridge.json("stocktake", "post", session, "--leave-refused")
    assert (left["left"], left["stocktake"]["state"]) == ([{"sku": sku, "units": None}], "posted")
    assert on_hand(storebridge, sku) == 5


def test_who_counted_cannot_approve_above_the_limit(storebridge: CommandLine, prefix: str) -> None:
    sku = f"{prefix}MUG"
    set_stock(storebridge, **{sku: 50})
    session = opened(storebridge, prefix, "--tolerance-units", "100", "--approval-units", "10")
    storebridge.json("stocktake", "count", session, sku, "30", "--by", "mia")
    storebridge.json("stocktake", "close", session)
    assert storebridge.json("stocktake", "show", session)["needs_another_approver"] is True
    assert storebridge.refusal("stocktake", "approve", session, "--by", "MIA")["error"] == "self_approval"
    assert storebridge.json("stocktake", "approve", session, "--by", "eli")["stocktake"]["state"] == "approved"


def test_a_count_belongs_to_the_time_of_the_stocktake(storebridge: CommandLine, prefix: str) -> None:
    sku = f"{prefix}MUG"
    set_stock(storebridge, **{sku: 10})
    session = opened(storebridge, prefix)
    opened_at = datetime.fromisoformat(storebridge.json("stocktake", "show", session)["stocktake"]["opened_at"])
    for days, code in ((-1, "counted_before_opening"), (1, "counted_in_future")):
        at = (opened_at + timedelta(days=days)).isoformat()
        assert storebridge.refusal("stocktake", "count", session, sku, "9", "--at", at)["error"] == code


def test_a_bad_row_stops_the_whole_file(storebridge: CommandLine, prefix: str) -> None:
    sku = f"{prefix}MUG"
    set_stock(storebridge, **{sku: 5})
    session = opened(storebridge, prefix)
    file = storebridge.file("bad.csv", f"sku,counted,counted_at\n{sku},4,\nGONE,1,\n{sku}X,many,\n".encode())
    before = contents(storebridge)
    refusal = storebridge.refusal("stocktake", "import", session, file, "--now")
    assert (refusal["error"], refusal["field"]) == ("invalid_rows", "counted")
    assert "row 4, counted" in refusal["message"]
    file = storebridge.file("unlisted.csv", f"sku,counted\n{sku},4\nGONE,1\n".encode())
    refusal = storebridge.refusal("stocktake", "import", session, file, "--now")
    assert "row 3, sku" in refusal["message"]
    refusal = storebridge.refusal("stocktake", "import", session, file)
    assert "row 2, counted_at" in refusal["message"]
    assert contents(storebridge) == before


def test_what_was_found_is_taken_in_only_on_confirmation(storebridge: CommandLine, prefix: str) -> None:
    set_stock(storebridge, **{f"{prefix}MUG": 5})
    new = f"{prefix}NEW"
    session = opened(storebridge, prefix, "--tolerance-units", "9")
    assert storebridge.refusal("stocktake", "count", session, new, "2", "--by", "mia")["error"] == "not_listed"
    storebridge.json("stocktake", "count", session, new, "2", "--by", "mia", "--found")
    storebridge.json("stocktake", "close", session)
    storebridge.json("stocktake", "approve", session, "--by", "mia")
    storebridge.json("stocktake", "post", session)
    assert (on_hand(storebridge, new), on_hand(storebridge, f"{prefix}MUG")) == (2, 5)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("open", "attic"), "unknown_location"),
        (("open", "main", "--prefix", "NOTHING-BEGINS-SO"), "empty_scope"),
        (("open", "main", "--sku", "UNKNOWN-1"), "unknown_sku"),
        (("open", "main", "--abc", "D"), "invalid_scope"),
        (("open", "main", "--tolerance-percent", "many"), "invalid_limit"),
        (("open", "main", "--tolerance-percent", "101"), "invalid_limit"),
        (("open", "main", "--approval-value", "10"), "no_currency"),
        (("open", "main", "--catalogue", "no-such-file.csv"), "unreadable_file"),
        (("show", "nowhere"), "unknown_stocktake"),
        (("count", "nowhere", "MUG", "1"), "unknown_stocktake"),
    ],
)
def test_what_cannot_be_is_said_plainly(storebridge: CommandLine, words: tuple[str, ...], code: str) -> None:
    set_stock(storebridge, PLAIN=1)
    before = contents(storebridge)
    assert storebridge.refusal("stocktake", *words)["error"] == code
    assert contents(storebridge) == before


def test_two_ways_to_choose_are_refused(storebridge: CommandLine) -> None:
    assert (
        storebridge.refusal("stocktake", "open", "main", "--zone", "A", "--abc", "A", exit_code=2)["error"] == "usage"
    )


COMMANDS = ("list", "open", "sheet", "count", "import", "show", "recounts", "close", "approve", "post", "cancel")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself_by_an_example(storebridge: CommandLine, command: str) -> None:
    assert command in storebridge("stocktake", "--help").stdout
    shown = " ".join(storebridge("stocktake", command, "--help").stdout.split())
    assert f"Example: storebridge stocktake {command}" in shown


def test_people_read_the_same_facts_as_tables(storebridge: CommandLine, prefix: str) -> None:
    sku = f"{prefix}MUG"
    set_stock(storebridge, **{sku: 10})
    session = opened(storebridge, prefix, "--tolerance-units", "5")
    steps = {
        ("sheet",): sku,
        ("count", sku, "8", "--by", "mia"): "accepted",
        ("recounts",): "No line waits",
        ("close",): "-2",
        ("approve", "--by", "eli"): "eli",
        ("post", "--dry-run"): "Dry run",
        ("post",): "posted",
    }
    for (command, *words), told in steps.items():
        result = storebridge("stocktake", command, session, *words)
        assert (result.exit_code, result.stderr) == (0, "")
        assert told in result.stdout
