"""Put together what buyers are told: errands about orders, and about addresses to be proven."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.kernel.links import Link, sign
from shared.orders.errands import Office
from shared.platform.buyer_mail import SesMailer
from shared.platform.configuration import settings
from shared.platform.errand_queue import AnErrand, OrderErrand, VerificationErrand
from shared.platform.observability import count
from shared.platform.privacy_keys import privacy_keys
from shared.platform.settings import BuyerMail
from shared.sync.table import NoticeTable
from shared.sync.tell_buyer import BuyerDesk, Outcome, VerificationDesk, send_verification, tell_buyer
from shared.wiring.backoffice_tables import mirror_table
from shared.wiring.errands import run_batch
from shared.wiring.tables import connection, order_records


def run_all(records: Sequence[Mapping[str, Any]], *, run: str, has_time: Callable[[], bool]) -> list[str]:
    """Run a batch of errands; returns the ids of messages that are none.

    Raises:
        Retry: what has to be run again could not be put back.
    """
    return run_batch(records, _run, Office.BUYER, holder=run, has_time=has_time)


def _run(errand: AnErrand) -> str:
    if isinstance(errand, OrderErrand):
        return _tell(errand)
    if isinstance(errand, VerificationErrand):
        return _ask(errand)
    return "not a buyer's"


def _tell(errand: OrderErrand) -> str:
    mail = settings().shop(errand.shop).buyers
    if mail is None or not mail.notices:
        return "the shop writes of no orders"
    return _reported(tell_buyer(errand.key, buyer_desk(mail)))


def _ask(errand: VerificationErrand) -> str:
    shop = errand.key.shop
    mail = settings().shop(shop).buyers
    if mail is None:
        raise Rejected(
            "no_sender",
            f"customers of {shop} are to prove their addresses, and the settings name nobody to write to them",
            field=f"shops.{shop}.buyers",
            hint="name a sender, then put the message back onto the queue",
        )
    return _reported(send_verification(errand.key, errand.asked, verification_desk(shop, mail)))


def buyer_desk(mail: BuyerMail) -> BuyerDesk:
    return BuyerDesk(
        orders=order_records(),
        mirrors=mirror_table(),
        log=_notice_table(),
        mailer=SesMailer(mail),
        address_of=page_address,
        kinds=mail.notices,
        language=mail.language,
        track_days=mail.track_days,
        clock=utc_now,
    )


def verification_desk(shop: str, mail: BuyerMail) -> VerificationDesk:
    from shared.wiring.customer_desk import rules_of  # noqa: PLC0415 - few errands need it
    from shared.wiring.customer_tables import customer_table, marker  # noqa: PLC0415

    return VerificationDesk(
        customers=customer_table(),
        marker=marker(),
        log=_notice_table(),
        mailer=SesMailer(mail),
        address_of=page_address,
        language=mail.language,
        link_hours=rules_of(shop).verification.link_hours,
        clock=utc_now,
    )


def page_address(link: Link) -> str:
    """Where the page behind a link is: its purpose is the first part of the path."""
    base = settings().public_url or os.environ["PUBLIC_URL"]
    return f"{base.rstrip('/')}/{link.purpose}/{sign(link, privacy_keys().link_keys)}"


def _notice_table() -> NoticeTable:
    return NoticeTable(connection(), os.environ["SYNC_TABLE"])


def _reported(outcome: Outcome) -> str:
    for kind, letters in outcome.sent.items():
        count("BuyerTold", letters, kind=kind)
    if outcome.refused:
        count("BuyerMailRefused", outcome.refused)
    return ", ".join(outcome.sent) or ("the address takes no mail" if outcome.refused else "nothing new")
