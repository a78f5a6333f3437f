"""What the commands about money have in common: their options, and who and when."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.target import ACTOR_VARIABLE
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.platform.configuration import settings

By = Annotated[str | None, typer.Option("--by", help=f"Who answers for it [{ACTOR_VARIABLE}, or your user name].")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and change nothing.")]
Reason = Annotated[str, typer.Option(help="Why; it stays on the trail. Nothing about buyers.", show_default=False)]


def today() -> date:
    """The merchant's day."""
    return utc_now().astimezone(settings().finance.zone).date()


def read_day(text: str, field: str) -> date:
    """A day as people write it to us.

    Raises:
        Rejected: `invalid_day`.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Rejected("invalid_day", f"{text[:40]!r} is no day", field=field, hint="write it as 2026-11-24") from error


def read_file(file: Path) -> bytes:
    """Raises:
    Rejected: `unreadable_file`.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise Rejected("unreadable_file", f"{file} cannot be read: {error.strerror}", field="file") from error
