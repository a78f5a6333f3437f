"""The words in both languages: complete, the same facts, and safe in every setting."""

from html.parser import HTMLParser

import pytest

from shared.inventory.low_stock import AlertKind, Crossing, StockState
from shared.notifications import templates
from shared.notifications.email import message
from shared.notifications.port import Language, fitting
from shared.notifications.templates import stock_notice
from tests.builders.notices import digest, notice
from tests.builders.orders import NOON

STORIES = [
    (AlertKind.LOW, StockState.LOW),
    (AlertKind.OUT_OF_STOCK, StockState.OUT),
    (AlertKind.BACK_IN_STOCK, StockState.LOW),
    (AlertKind.BACK_IN_STOCK, StockState.OK),
]


def crossing(kind: AlertKind = AlertKind.LOW, state: StockState = StockState.LOW, sku: str = "MUG") -> Crossing:
    return Crossing(
        sku=sku,
        location="main",
        seq=7,
        kind=kind,
        state=state,
        at=NOON,
        free=3,
        point=5,
        proposed=12,
        days_of_cover=4,
    )


def test_both_languages_have_the_same_words_with_the_same_fields() -> None:
    english, chinese = templates._EN, templates._ZH
    assert english.keys() == chinese.keys()
    fields = ("{sku}", "{location}", "{free}", "{count}", "{out}", "{low}")
    for name in english:
        assert [f in english[name] for f in fields] == [f in chinese[name] for f in fields], name


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("kind", "state"), STORIES)
def test_a_notice_names_the_goods_the_place_and_the_figures(
    kind: AlertKind, state: StockState, language: Language
) -> None:
    told = stock_notice(crossing(kind, state), location="Main warehouse", language=language)
    assert told.key == "stock/main/MUG/7"
    assert "MUG" in told.title
    assert "Main warehouse" in told.title
    text = "\n".join(told.lines())
    assert "{" not in text
    assert ("12 " in text.replace("23 12:00", "")) == (state is not StockState.OK)  # nothing to order any more
    assert "2026-11-23 12:00 UTC" in text


def test_each_story_has_its_own_title() -> None:
    titles = {stock_notice(crossing(*story), location="Main", language="en").title for story in STORIES}
    assert titles == {
        "Low stock: MUG at Main, 3 left",
        "Out of stock: MUG at Main",
        "Back in stock: MUG at Main, 3 available",
        "Stock sufficient again: MUG at Main, 3 available",
    }


def test_chinese_reads_as_chinese() -> None:
    told = stock_notice(crossing(), location="主仓", language="zh")
    assert told.lines() == [
        "库存偏低：MUG（主仓）仅剩 3 件",
        "主仓的 MUG 已降至补货点。",
        "可售库存：3 件",
        "补货点：5 件",
        "预计可售天数：4",
        "建议采购量：12 件",
        "起始时间：2026-11-23 12:00 UTC",
    ]


def test_a_sku_is_never_read_as_a_field_or_a_line() -> None:
    told = stock_notice(crossing(sku="A{free}{location}\nB"), location="{sku}", language="en")
    assert told.title == "Low stock: A{free}{location} B at {sku}, 3 left"


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base's
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_html_shows_everything_and_lets_no_markup_in() -> None:
    parsed = _Text()
    hostile = notice(title="<script>x</script>", facts=(("A&B", '"><img src=x>'),))
    parsed.feed(message.html(hostile))
    assert not {"script", "img"} & set(parsed.tags)
    assert {"<script>x</script>", "A&B", '"><img src=x>'} <= set(parsed.text)


def test_the_html_of_a_digest_is_a_table_of_all_rows() -> None:
    page = message.html(digest(40, language="zh"))
    assert '<html lang="zh-Hans">' in page
    assert page.count("<tr>") == 41
    assert page.count("SKU-000") == 40


def test_a_subject_is_one_line() -> None:
    assert message.subject(notice(title="a\r\nBcc: x@example.test\x00")) == "a  Bcc: x@example.test "
    assert len(message.subject(notice(title="x" * 999))) == 200


def test_lines_that_do_not_fit_are_counted() -> None:
    lines = ["x" * 9] * 10
    assert fitting(lines, 99) == lines
    assert fitting(lines, 98)[-1].startswith("… +")
    for most in range(20, 99):
        short = fitting(lines, most)
        assert len("\n".join(short).encode()) <= most
        assert short[-1] == f"… +{10 - len(short) + 1}"
