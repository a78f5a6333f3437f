"""The templates of mails and pages: files beside this one, read when the first is needed."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def fill(template: str, **values: Any) -> str:
    """The template with the values: escaped in HTML, as they are in text. A value that is missing is an error."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # noqa: PLC0415 - cold start

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )


def ready_made(text: str) -> Any:
    """Text of our own that goes into HTML as it is."""
    from markupsafe import Markup  # noqa: PLC0415 - cold start

    return Markup(text)  # noqa: S704 # nosec B704 - only ever a file of this package
