"""`storebridge`: the operators' command line.

Each group of commands is a module that is loaded when it is called, so that help comes at once. `--json`, `--local`
and `--stack` are understood anywhere in the line.
"""

import importlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer
from typer._click.exceptions import UsageError  # what typer itself raises; it exports only the subclasses
from typer.core import TyperGroup

from infra.cli.output import Output
from infra.cli.target import DEFAULT_LOCAL, DEFAULT_STACK, LOCAL_VARIABLE, STACK_VARIABLE, Session, choose, session
from shared.kernel.errors import Rejected, StorebridgeError

GROUPS: Final[Mapping[str, str]] = {
    "status": "How the deployment is: healthy, or what needs attention and what to type next.",
    "orders": "Look at orders; release, cancel or review them.",
    "desk": "See what stopped on its way to the back office or the shop, mend it, and send it on.",
    "doctor": "Examine both sides before the first order flows.",
    "customers": "Look at customers; verify, refuse, join and part them; keep them in step.",
    "privacy": "What people may ask for under the law: hand their data over, erase it, prove it.",
    "stock": "Look at stock and explain it, enter what was counted, define bundles.",
    "stocktake": "Count the shelves while selling goes on.",
    "money": "Reconcile payments, work on exceptions, close days.",
    "report": "Sales, tax, fees, payouts …: as HTML, Excel, CSV or JSON; the journal for other books.",
    "sync": "Synchronise a shop now: its stock, or orders that were missed.",
    "events": "See what was set aside, and put messages through again.",
    "send": "Send a signed webhook, as a shop would.",
    "shops": "See which shops are connected, and whether all is set up.",
    "tasks": "Things that a person has to mend, such as SKUs that stock does not know.",
    "settings": "See and change the settings of the deployment.",
    "schedules": "Fire a scheduled job now (local stack only).",
}
EVERYWHERE = "Everywhere: --json (one JSON document), --local [URL] (a stack on this machine), --stack NAME."
_WITH_VALUE = frozenset({"--stack", "--local"})


class _Root(TyperGroup):
    """Loads a group of commands when it is called, and answers for what fails in it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        line = list(hoist(args))
        # Until the options are read: what is wrong is to be told in the form that was asked for.
        ctx.obj = Session(Output(as_json="--json" in line[: _end_of_options(line)]))
        with _answering(ctx):
            return super().parse_args(ctx, line)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _, rest = super().resolve_command(ctx, args)
        return name, _load(str(name)), rest

    def invoke(self, ctx: Any) -> Any:
        with _answering(ctx):
            return super().invoke(ctx)


@contextmanager
def _answering(ctx: Any) -> Iterator[None]:
    """Tell what failed, and end with 1, or with 2 for wrong usage."""
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except StorebridgeError as error:
        session(ctx).output.fail(error)
        raise typer.Exit(1) from error
    except UsageError as error:
        output = session(ctx).output
        if not output.as_json:
            raise
        output.fail(Rejected("usage", error.format_message(), field=_parameter(error), hint="see --help"))
        raise typer.Exit(2) from error
    except _aws_errors() as error:
        session(ctx).output.fail(_of_aws(error))
        raise typer.Exit(1) from error


app = typer.Typer(
    cls=_Root,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: storebridge orders list --local",
)


@app.callback()
def storebridge(
    ctx: typer.Context,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"The stack in AWS [{STACK_VARIABLE}, or {DEFAULT_STACK}].")
    ] = None,
    local: Annotated[
        str | None, typer.Option(metavar="[URL]", help=f"A local stack [{LOCAL_VARIABLE}, or {DEFAULT_LOCAL}].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document, for programs.")] = False,
) -> None:
    """Storebridge: orders and stock between shops and back office."""
    chosen_stack, chosen_local = choose(stack, local, os.environ)
    ctx.obj = Session(Output(as_json=as_json), chosen_stack, chosen_local)


def _placeholder(name: str, help_text: str) -> None:
    # Only named here: the command itself is in its module.
    app.add_typer(typer.Typer(), name=name, help=help_text)


for _name, _help in GROUPS.items():
    _placeholder(_name, _help)


def hoist(args: list[str]) -> Iterator[str]:
    """The same line with the options that hold everywhere in front; `--local` gets its URL where none is given."""
    end = _end_of_options(args)
    ahead: list[str] = []
    rest: list[str] = []
    position = 0
    while position < end:
        word = args[position]
        follower = args[position + 1] if position + 1 < end else None
        position += 1
        if word == "--json" or word.startswith(("--local=", "--stack=")):
            ahead.append(word)
        elif word == "--local" and not _is_url(follower):
            ahead.append(f"--local={os.environ.get(LOCAL_VARIABLE) or DEFAULT_LOCAL}")
        elif word in _WITH_VALUE and follower is not None:
            ahead += [word, follower]
            position += 1
        else:
            rest.append(word)
    yield from (*ahead, *rest, *args[end:])


def _end_of_options(args: list[str]) -> int:
    """What follows `--` are arguments, whatever they look like."""
    return args.index("--") if "--" in args else len(args)


def _is_url(word: str | None) -> bool:
    return word is not None and word.startswith(("http://", "https://"))


def _load(name: str) -> Any:
    commands: typer.Typer = importlib.import_module(f"infra.cli.{name}").app
    command = typer.main.get_command(commands)
    command.name = name
    for leaf in _with_all_below(command):
        leaf.epilog = f"{leaf.epilog}\n\n{EVERYWHERE}" if leaf.epilog else EVERYWHERE
    return command


def _with_all_below(command: Any) -> Iterator[Any]:
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from _with_all_below(below)


def _parameter(error: UsageError) -> str | None:
    """The argument or option at fault, where one is."""
    name: str | None = getattr(getattr(error, "param", None), "name", None)
    return name


def _aws_errors() -> tuple[type[Exception], ...]:
    """Evaluated only when something was raised: boto3 is not to be imported for a line of help."""
    from infra.cli.failures import AWS_ERRORS  # noqa: PLC0415

    return AWS_ERRORS


def _of_aws(error: Exception) -> StorebridgeError:
    from infra.cli.failures import of_aws  # noqa: PLC0415

    return of_aws(error)


def run() -> None:
    """The entry point."""
    app(prog_name="storebridge")


if __name__ == "__main__":
    run()
