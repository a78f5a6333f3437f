"""HTML as a reader's program sees it: elements, their attributes, and the text between them."""

from collections.abc import Iterator
from html.parser import HTMLParser

_EMPTY = frozenset({"meta", "br", "link", "img", "input", "hr"})


class Html(HTMLParser):
    """Reads a page, and fails on elements that are closed wrongly."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == [], self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open and data.strip():
            self.texts.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    def of(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)

    @property
    def shape(self) -> list[tuple[str, frozenset[str]]]:
        """The elements with the names of their attributes: what no text of somebody else's may change."""
        return [(tag, frozenset(attributes)) for tag, attributes in self.elements]

    @property
    def links(self) -> list[str]:
        return [str(attributes.get("href")) for attributes in self.of("a")]
