"""What holds for every command: help, the options that are understood anywhere, usage, and failures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.cli.main import EVERYWHERE, GROUPS, hoist
from infra.cli.target import DEFAULT_LOCAL, LOCAL_VARIABLE
from tests.unit.cli.conftest import Run

ROOT = Path(__file__).parents[3]
NOBODY = "http://127.0.0.1:1"
HEAVY = {"boto3", "botocore", "pynamodb", "pydantic", "httpx"}
COMMANDS = {
    "orders": {"list", "show", "release", "cancel", "review"},
    "desk": {"list", "show", "retry", "behind", "redrive", "rehearse"},
    "stock": {"show", "receive", "set", "explain", "drift", "bundle"},
    "sync": {"stock", "orders"},
    "events": {"list", "replay"},
    "shops": {"list", "check"},
    "tasks": {"list", "close"},
    "settings": {"show", "push"},
    "schedules": {"list", "fire"},
    "money": {
        *("status", "reconcile", "explain", "backfill", "import", "costs", "close", "reopen", "days", "audit"),
        *("cases", "case", "assign", "comment", "resolve", "approve", "refuse", "reopen-case"),
    },
    "report": {"list", "show", "export"},
    "stocktake": {
        *("list", "open", "sheet", "count", "import", "show", "recounts", "close", "approve", "post", "cancel"),
    },
}


def test_help_names_every_group_and_loads_nothing_heavy() -> None:
    program = (
        "import json, sys\n"
        "from infra.cli.main import app\n"
        "sys.argv = ['storebridge', '--help']\n"
        "try:\n    app()\n"
        f"finally:\n    print(json.dumps(sorted(set(sys.modules) & {HEAVY!r})), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stderr) == []
    for group in GROUPS:
        assert group in done.stdout


@pytest.mark.parametrize(("group", "commands"), COMMANDS.items())
def test_each_group_has_its_commands_each_with_an_example(run: Run, group: str, commands: set[str]) -> None:
    listed = run(group, "--help").stdout
    for command in commands:
        assert command in listed
        shown = " ".join(run(group, command, "--help").stdout.split())
        assert f"Example: storebridge {group} {command}" in shown
        assert " ".join(EVERYWHERE.split()) in shown


@pytest.mark.parametrize("command", ["set", "remove", "show"])
def test_a_group_within_a_group_has_its_examples_too(run: Run, command: str) -> None:
    shown = " ".join(run("stock", "bundle", command, "--help").stdout.split())
    assert f"Example: storebridge stock bundle {command}" in shown
    assert " ".join(EVERYWHERE.split()) in shown


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("sync", "orders", "--shop", "aurora"), "since"),
        (("sync", "orders", "--shop", "aurora", "--since", "yesterday"), "since"),
        (("sync", "orders", "--shop", "aurora", "--id", "1", "--since", "2026-11-22T00:00:00Z"), "ids"),
        (("sync", "stock", "--shop", "AURORA"), "shop"),
        (("stock", "explain", "MUG", "--at", "noon"), "at"),
        (("stock", "bundle", "set", "SET", "MUG"), "components"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(run: Run, words: tuple[str, ...], field: str) -> None:
    told = run(*words, "--json", "--local", NOBODY)
    assert (told.exit_code, told.stdout) == (1, "")
    assert json.loads(told.stderr)["field"] == field


def test_send_is_a_command_of_its_own(run: Run) -> None:
    assert "Example: storebridge send" in run("send", "--help").stdout


def test_doctor_is_a_command_of_its_own(run: Run) -> None:
    assert "Example: storebridge doctor" in run("doctor", "--help").stdout


def test_redrive_says_what_it_leaves_and_why(run: Run) -> None:
    shown = " ".join(run("desk", "redrive", "--help").stdout.split())
    assert "only after its queue has it" in shown
    assert "storebridge desk behind --retry" in shown


@pytest.mark.parametrize(
    "words",
    [
        ("desk", "retry"),
        ("desk", "retry", "aurora/1", "--all"),
        ("desk", "retry", "--all", "--code", "unmapped_tax"),
        ("desk", "retry", "aurora/1", "--shop", "aurora"),
        ("desk", "list", "--passing", "--all"),
        ("desk", "rehearse"),
        ("desk", "rehearse", "aurora/1", "--shop", "aurora"),
        ("desk", "redrive", "--office", "warehouse"),
    ],
)
def test_contradictions_at_the_desk_are_wrong_usage(run: Run, words: tuple[str, ...]) -> None:
    told = run(*words, "--json", "--local", NOBODY)
    assert (told.exit_code, told.stdout) == (2, "")
    assert json.loads(told.stderr)["error"] == "usage"


def test_replay_says_that_it_is_safe(run: Run) -> None:
    assert "This is safe" in run("events", "replay", "--help").stdout


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["orders", "list", "--json"], ["--json", "orders", "list"]),
        (["orders", "show", "--local", "aurora/1"], [f"--local={DEFAULT_LOCAL}", "orders", "show", "aurora/1"]),
        (["orders", "list", "--local"], [f"--local={DEFAULT_LOCAL}", "orders", "list"]),
        (["--local", "http://h:1", "tasks", "list"], ["--local", "http://h:1", "tasks", "list"]),
        (["tasks", "list", "--local=http://h:1"], ["--local=http://h:1", "tasks", "list"]),
        (["tasks", "list", "--stack", "mine"], ["--stack", "mine", "tasks", "list"]),
        (["tasks", "list", "--stack"], ["tasks", "list", "--stack"]),
        (["tasks", "close", "--", "--json"], ["tasks", "close", "--", "--json"]),
        (["tasks", "list", "--json", "--json"], ["--json", "--json", "tasks", "list"]),
        ([], []),
    ],
)
def test_some_options_are_understood_anywhere(
    monkeypatch: pytest.MonkeyPatch, words: list[str], meant: list[str]
) -> None:
    monkeypatch.delenv(LOCAL_VARIABLE, raising=False)
    assert list(hoist(words)) == meant


def test_local_without_a_url_is_the_one_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOCAL_VARIABLE, "http://h:2")
    assert list(hoist(["orders", "list", "--local"])) == ["--local=http://h:2", "orders", "list"]


@pytest.mark.parametrize(
    "words",
    [
        ("ordres",),
        ("--colour", "orders", "list"),
        ("orders", "lsit"),
        ("orders", "show"),
        ("orders", "list", "--limit", "0"),
        ("stock", "set", "MUG", "main", "many"),
        ("orders", "list", "--stack", "a", "--local"),
        ("schedules", "list", "--stack", "a"),
    ],
)
def test_wrong_usage_ends_with_2_in_either_form(run: Run, words: tuple[str, ...]) -> None:
    plain = run(*words)
    assert (plain.exit_code, plain.stdout) == (2, "")
    assert "Traceback" not in plain.stderr
    told = run(*words, "--json")
    assert (told.exit_code, told.stdout) == (2, "")
    assert json.loads(told.stderr)["error"] == "usage"


def test_wrong_usage_names_the_argument(run: Run) -> None:
    assert json.loads(run("stock", "set", "MUG", "main", "many", "--json").stderr)["field"] == "on_hand"


@pytest.mark.parametrize(
    "words", [("orders", "list"), ("stock", "show"), ("tasks", "list"), ("shops", "check"), ("schedules", "list")]
)
def test_where_nothing_answers_it_says_what_to_start(run: Run, words: tuple[str, ...]) -> None:
    plain = run(*words, "--local", NOBODY)
    assert (plain.exit_code, plain.stdout) == (1, "")
    (line,) = plain.stderr.strip().splitlines()
    assert line.startswith("no_local_stack [local]: nothing answers")
    assert "python -m infra.local.serve" in line
    told = json.loads(run(*words, "--local", NOBODY, "--json").stderr)
    assert set(told) == {"error", "field", "message", "hint"}
    assert told["error"] == "no_local_stack"


def test_without_a_region_or_credentials_it_says_what_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(run("orders", "list", "--json").stderr)["error"] == "no_region"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    refusal = json.loads(run("orders", "list", "--json").stderr)
    assert refusal["error"] == "no_credentials"
    assert "--local" in refusal["hint"]


def test_a_url_that_is_none_is_refused(run: Run) -> None:
    assert json.loads(run("orders", "list", "--local=ftp://h", "--json").stderr)["error"] == "invalid_local_url"


def test_a_bad_order_key_needs_no_deployment_to_be_refused(run: Run) -> None:
    refusal = json.loads(run("orders", "show", "5001", "--local", NOBODY, "--json").stderr)
    assert (refusal["error"], refusal["field"]) == ("invalid_order_key", "order")
