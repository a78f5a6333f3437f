"""Where an order stands in plain words, over its life on a back office in memory, and words for whatever stops it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.backoffices.port import Refusal
from shared.kernel.errors import Rejected, Retry
from shared.orders.cancel import cancel
from shared.orders.dispatch import digest
from shared.orders.errands import Office
from shared.orders.models import PaymentState
from shared.orders.record import HoldReason
from shared.orders.release import release
from shared.sync import stages, stop_words
from shared.sync.backoffice.mirror import Stop, Told
from shared.sync.stages import OrderStage, StageName, behind, stage_of
from shared.sync.stop_words import ENTRIES, WHO, Who, advice_on
from tests.builders.books import KEY, RULES, Company, account, company, taxed
from tests.builders.orders import NOON, line

ROOT = Path(__file__).parents[3]


def sold(**overrides: Any) -> Company:
    at = company(MUG=10)
    at.take_in(account(taxed("MUG", 3, "36.30", "6.30"), **overrides))
    return at


def stage(at: Company, told: Told | None = None, **around: Any) -> OrderStage:
    return stage_of(at.record(), at.mirrors.find(KEY), told or at.mirrors.find_told(KEY), **around)


def all_told(at: Company, *, completed: bool = False) -> Told:
    mirror = at.mirrors.mirrors[KEY]
    return Told(shop="aurora", order_id="5001", digest=digest(mirror.dispatches), completed=completed)


def test_the_life_of_an_order() -> None:
    at = sold(payment=PaymentState.PENDING, transactions=())
    assert stage(at).text == "held for review: payment_pending"
    assert stage(at).command == "storebridge orders release aurora/5001"
    release(KEY, at.orders, by="mia")
    assert stage(at).text == "waiting for the back office"
    assert stage(at).command == "storebridge desk retry aurora/5001"
    at.push()
    assert stage(at) == OrderStage(name=StageName.PACKING, text="being packed (SO-1)")
    at.office.send_off(str(KEY), {"line-MUG": 1})
    at.push()
    assert stage(at).text == "partly shipped (1 of 3)"
    assert stage(at).command is None
    at.office.send_off(str(KEY))
    at.push()
    assert stage(at).text == "shipped, storefront not told yet"
    assert stage(at, tells=False).text == "shipped"
    assert stage(at, all_told(at)).text == "shipped, storefront told"
    assert stage(at, all_told(at)).command is None
    at.office.deliver(str(KEY))
    at.push()
    assert stage(at, all_told(at)).text == "delivered"
    assert stage(at, all_told(at, completed=True)).text == "completed"


def test_a_draft_waits_under_its_number() -> None:
    at = sold(payment=PaymentState.PENDING, transactions=())
    at.push()
    release(KEY, at.orders, by="mia")
    assert stage(at).text == "draft in the back office (SO-1)"


def test_a_cancellation_that_the_back_office_has_not_heard_of() -> None:
    at = sold()
    at.push()
    cancel(KEY, at.orders, by="mia")
    assert stage(at).text == "cancelled, still open in the back office (SO-1)"
    assert stage(at).command == "storebridge desk retry aurora/5001"
    at.push()
    assert (stage(at).text, stage(at).command) == ("cancelled", None)


def test_what_is_only_rehearsed_still_waits() -> None:
    at = sold()
    at.rules = RULES.model_copy(update={"rehearsal": True})
    at.push()
    assert stage(at).text == "waiting for the back office"


@pytest.mark.parametrize(
    ("units", "overrides", "text"),
    [
        (10, {}, "ready to ship"),
        (10, {"lines": (line(requires_shipping=False, sku=None),)}, "completed"),
    ],
)
def test_a_shop_whose_orders_stay_here(units: int, overrides: dict[str, Any], text: str) -> None:
    at = company(MUG=units)
    at.take_in(account(taxed("MUG", 3, "36.30", "6.30"), **overrides))
    released = at.record() if not at.record().holds else release(KEY, at.orders, by="mia")
    assert stage_of(released, None, None, connected=False, tells=False).text == text


def test_a_released_order_that_waits_for_stock() -> None:
    at = company(MUG=1)
    at.take_in(account(taxed("MUG", 3, "36.30", "6.30")))
    release(KEY, at.orders, by="mia")
    assert stage(at, connected=False).text == "waiting for stock"


def test_a_line_that_stock_does_not_know_is_a_task() -> None:
    at = company()
    at.take_in(account(taxed("NEW", 1, "12.10", "2.10")))
    at.office.add_product("NEW", 1)
    at.push()
    assert stage(at).command == "storebridge tasks list"


def test_a_stop_says_why_and_what_to_call() -> None:
    at = sold()
    at.rules = RULES.model_copy(update={"taxes": {}})
    with pytest.raises(Rejected):
        at.push()
    found = stage(at)
    assert found.text == "stopped: the settings do not say which tax of the back office this one is"
    assert found.command == "storebridge desk retry aurora/5001"
    assert stage(at, language="zh").text == "已停止：设置中没有指定该税对应后台系统的哪个税种"


def stopped(error: Rejected | Retry) -> Stop:
    return Stop.of(error, None, NOON)


def test_what_passes_by_itself_needs_no_command() -> None:
    at = sold()

    def down(_method: str, _when: str) -> None:
        raise Retry("backoffice_unreachable", "gone")

    at.office.interrupt = down
    with pytest.raises(Retry):
        at.push()
    assert stage(at).text == "tried again by itself: the back office does not answer"
    assert stage(at).command is None


def test_what_a_person_must_mend_is_told_before_what_passes() -> None:
    at = sold()
    at.push()
    mirror = at.mirrors.mirrors[KEY]
    busy = mirror.model_copy(update={"stop": stopped(Retry("backoffice_busy", "later"))})
    told = Told(shop="aurora", order_id="5001", stop=stopped(Rejected("not_shippable", "cancelled there")))
    assert stage_of(at.record(), busy, told).text == "stopped: the shop takes no shipment of this order"


def test_a_sale_that_the_back_office_cancelled_is_cancelled_here_too() -> None:
    stop = stopped(Rejected("cancelled_in_backoffice", "gone there"))
    assert stages.command_for(stop, KEY) == "storebridge orders cancel aurora/5001"


def test_who_is_behind() -> None:
    at = sold()

    def now(told: Told | None = None, **around: Any) -> tuple[Office, ...]:
        return behind(at.record(), at.mirrors.find(KEY), told, **around)

    assert now() == (Office.BACKOFFICE,)
    assert now(connected=False) == ()
    at.push()
    assert now() == ()
    at.office.send_off(str(KEY), {"line-MUG": 1})
    at.push()
    assert now() == (Office.STOREFRONT,)
    assert now(all_told(at)) == ()
    assert now(tells=False) == ()
    at.take_in(account(taxed("MUG", 3, "36.30", "6.30"), minute=5))
    assert now(all_told(at)) == (Office.BACKOFFICE,)


def test_a_cancellation_here_that_the_shop_has_not_heard_of() -> None:
    at = sold()
    cancel(KEY, at.orders, by="mia")
    assert behind(at.record(), None, None, connected=False) == (Office.STOREFRONT,)
    heard = Told(shop="aurora", order_id="5001", cancelled=True)
    assert behind(at.record(), None, heard, connected=False) == ()


@pytest.mark.parametrize("name", StageName)
def test_every_stage_has_words_in_both_languages(name: StageName) -> None:
    assert all(stages._TEXTS[name][language] for language in ("en", "zh"))


def test_every_hold_payment_and_person_has_chinese_words() -> None:
    assert set(stages._HOLDS_ZH) == set(HoldReason)
    assert set(stages._PAYMENTS_ZH) == set(PaymentState)
    assert set(WHO) == set(Who)


@pytest.mark.parametrize("code", ENTRIES)
def test_every_code_has_words_in_both_languages(code: str) -> None:
    stop = stopped(Rejected(code, "exact words"))
    english, chinese = advice_on(stop), advice_on(stop, "zh")
    assert english.reason != chinese.reason
    assert english.todo != chinese.todo
    assert english.who is chinese.who


def test_a_code_without_words_speaks_for_itself() -> None:
    unheard = advice_on(stopped(Rejected("unheard_of", "exact words", hint="mend it")))
    assert (unheard.reason, unheard.todo, unheard.who) == ("exact words", "mend it", Who.STAFF)
    assert advice_on(stopped(Retry("unheard_of", "exact words")), "zh").todo == stop_words._WAIT_ZH


# What a stop may bear

PUSHES = (
    *("shared/sync/backoffice", "shared/sync/storefront_push.py", "shared/backoffices", "shared/dynamodb"),
    *("shared/orders/release.py", "shared/orders/note_dispatches.py", "shared/orders/table.py", "shared/kernel"),
    *("shared/storefronts/http.py", "shared/storefronts/lenient.py", "shared/storefronts/shopify/graphql.py"),
    *("shared/storefronts/shopify/fulfilment.py", "shared/storefronts/shopify/fulfilment_account.py"),
    *("shared/storefronts/shopify/consignments.py", "shared/storefronts/shopify/tracking.py"),
    *("shared/storefronts/woocommerce/rest.py", "shared/storefronts/woocommerce/fulfilment.py"),
    *("shared/storefronts/woocommerce/dispatch_record.py", "shared/storefronts/woocommerce/tracking_items.py"),
    *("shared/platform/configuration.py", "shared/platform/kept.py"),
)
"""Everything that runs within a push to the back office or to the storefront."""
NEVER_STOPS = {
    "journal_currency",  # of a day's journal, never of an order
    *("invalid_cursor", "invalid_order_key", "invalid_customer_key", "unauthorised"),
    *("link_invalid", "link_expired", "customer_refused", "unknown_customer"),
}
"""Of feeds, of what operators type, of what others send us, of buyers' links, of customers at storefronts."""


def sources() -> Iterator[Path]:
    for place in PUSHES:
        path = ROOT / place
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def codes(path: Path) -> Iterator[str]:
    """The first argument of every `Rejected` and `Retry`: a text, a refusal, or a name that stands for texts."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Rejected", "Retry"}:
            yield from texts(node.args[0], module)


def texts(code: ast.expr, module: ast.Module) -> Iterator[str]:
    match code:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Attribute(value=ast.Name(id="Refusal"), attr=name):
            yield Refusal[name].value
        case ast.IfExp():
            yield from (*texts(code.body, module), *texts(code.orelse, module))
        case ast.Name(id=name):
            for node in ast.walk(module):
                targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
                named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
                if isinstance(node, ast.Assign | ast.AnnAssign) and named and node.value is not None:
                    yield from texts(node.value, module)


def test_every_code_that_may_stop_an_order_has_words() -> None:
    found = {code: path.name for path in sources() for code in codes(path)}
    assert {"unmapped_tax", "backoffice_outcome_unknown", "backoffice_bug", "not_shippable"} <= found.keys()
    assert {code: file for code, file in found.items() if code not in {*ENTRIES, *NEVER_STOPS}} == {}
