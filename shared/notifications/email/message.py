"""A notice as an e-mail: subject, text and HTML. Pure."""

from html import escape

from shared.notifications.port import Notice

_MOST_SUBJECT = 200
_CELL = "padding:4px 12px 4px 0;text-align:left;vertical-align:top"


def subject(notice: Notice) -> str:
    """One line without control characters, so that nothing can add a header."""
    line = "".join(character if character.isprintable() else " " for character in notice.title)
    return line if len(line) <= _MOST_SUBJECT else f"{line[: _MOST_SUBJECT - 1]}…"


def text(notice: Notice) -> str:
    return "\n".join(notice.lines()) + "\n"


def html(notice: Notice) -> str:
    """A plain page: styles inline, as mail clients want them; nothing fetched from anywhere."""
    facts = "".join(
        f'<tr><th scope="row" style="{_CELL}">{escape(label)}</th><td style="{_CELL}">{escape(value)}</td></tr>'
        for label, value in notice.facts
    )
    head = "".join(f'<th scope="col" style="{_CELL}">{escape(column)}</th>' for column in notice.columns)
    rows = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in row) + "</tr>" for row in notice.rows
    )
    language = "zh-Hans" if notice.language == "zh" else "en"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(notice.title)}</title>'
        f'</head><body style="font-family:sans-serif"><h1 style="font-size:18px">{escape(notice.title)}</h1>'
        f"<p>{escape(notice.text)}</p>"
        + (f"<table>{facts}</table>" if facts else "")
        + (f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else "")
        + "</body></html>"
    )
