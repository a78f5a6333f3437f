"""Customers as facts for JSON and tables. Pure. Personal data only where it is asked for."""

from collections.abc import Iterable, Mapping, Sequence

from infra.cli.order_facts import Json, time
from shared.customers.conflicts import EditConflict
from shared.customers.maintenance import Side, SideBase
from shared.customers.matching import Proposal
from shared.customers.merges import Merge
from shared.customers.models import Customer, Profile, ProfileField
from shared.customers.record import CustomerRecord
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.sync.backoffice.mirror import Stop
from shared.sync.customers.card import content_of_profile, line_of, normal_of
from shared.sync.customers.mirror import PersonMirror
from shared.sync.stop_words import Language, advice_on


def summary(record: CustomerRecord) -> Json:
    """One customer in a list."""
    return {
        "customer": str(record.key),
        "shop": record.shop,
        "kind": record.kind,
        "leader": record.leader,
        "account": _account(record),
        "verification": record.verification.state.value,
        "flags": [{"flag": flag.flag.value, "detail": flag.detail} for flag in record.open_flags],
        "registered_at": time(record.registered_at),
        "revision": record.revision,
        "since": time(record.attention_since),
    }


def _account(record: CustomerRecord) -> str:
    if record.erased_at is not None:
        return "erased"
    return "deleted" if record.deleted_at is not None else record.state.value


def whole(  # noqa: PLR0913 - each is a part of what is kept
    record: CustomerRecord,
    *,
    members: Iterable[CustomerRecord],
    orders: Iterable[OrderKey],
    merges: Iterable[Merge],
    conflicts: Iterable[EditConflict],
    back_offices: Iterable[Json],
    customer: Customer | None,
    personal: bool,
) -> Json:
    """All that we keep of one customer, and of the person whom it is joined with."""
    facts = {
        **summary(record),
        "platform": record.platform,
        "cause": record.cause.model_dump(),
        "verified": _verification(record),
        "overruled": [flag.value for flag in record.overruled],
        "consents": [consent.model_dump(mode="json") for consent in record.consents],
        "deleted_at": time(record.deleted_at),
        "erased_at": time(record.erased_at),
        "has_profile": customer is not None,
        "members": [_member(member) for member in members],
        "orders": [str(order) for order in orders],
        "merges": [merge_facts(merge) for merge in merges],
        "conflicts": [_conflict(conflict, personal=personal) for conflict in conflicts],
        "back_offices": list(back_offices),
    }
    if personal:
        facts["personal"] = customer.personal.model_dump(mode="json", exclude_defaults=True) if customer else None
    return facts


def _verification(record: CustomerRecord) -> Json:
    known = record.verification
    return {
        "state": known.state.value,
        "by": known.by,
        "at": time(known.at),
        "links_sent": known.asked,
        "last_sent_at": time(known.asked_at[-1]) if known.asked_at else None,
    }


def _member(record: CustomerRecord) -> Json:
    return {
        "customer": str(record.key),
        "is_leader": record.is_leader,
        "account": _account(record),
        "verification": record.verification.state.value,
    }


def merge_facts(merge: Merge) -> Json:
    return {
        "id": merge.id,
        "leader": merge.leader,
        "moved": [moved.model_dump() for moved in merge.moved],
        "reasons": [reason.model_dump() for reason in merge.reasons],
        "by": merge.by,
        "at": time(merge.at),
        "stands": merge.stands,
        "undone_by": merge.undone_by,
        "undone_at": time(merge.undone_at),
    }


def _conflict(conflict: EditConflict, *, personal: bool) -> Json:
    facts = {
        "field": conflict.field.value,
        "winner": conflict.winner,
        "loser": conflict.loser,
        "reason": conflict.reason,
        "at": time(conflict.at),
    }
    return facts | {"kept": conflict.kept, "lost": conflict.lost} if personal else facts


# ---- what was decided ----


def decided(before: CustomerRecord, after: CustomerRecord) -> Json:
    """What became, or would become, of one customer."""
    return {
        "customer": str(before.key),
        "changed": after.revision != before.revision,
        "before": _judged(before),
        "after": _judged(after),
    }


def _judged(record: CustomerRecord) -> Json:
    facts = summary(record)
    return {"verified": _verification(record), "flags": facts["flags"], "revision": record.revision}


# ---- the back office's side ----


def back_office_facts(
    name: str, mirror: PersonMirror | None, sides: Iterable[Side], language: Language, *, personal: bool
) -> Json:
    """Where the person stands in one back office, as of the last look. `sides` are those of the office's shops."""
    return {
        "backoffice": name,
        "party_id": mirror.party_id if mirror else None,
        "looked_at": time(mirror.looked_at) if mirror else None,
        "in_step": mirror is not None and _is_in_step(mirror, sides),
        "stop": stop_facts(mirror.stop, language, personal=personal) if mirror and mirror.stop else None,
    }


def _is_in_step(mirror: PersonMirror, sides: Iterable[Side]) -> bool:
    """Whether nothing has changed on our side since both were seen to agree, and all that was begun was finished."""
    known = mirror.base.sides
    is_done = mirror.party_id is not None and mirror.stop is None and not any(side.begun for side in known.values())
    return is_done and all(
        known.get(side.name, SideBase()).values == side.values for side in sides if not side.is_silent
    )


def stop_facts(stop: Stop, language: Language, *, personal: bool = False) -> Json:
    """Without the message, which may be a back office's own and name a person, unless that is asked for."""
    told = stop if personal else stop.model_copy(update={"message": stop.code, "hint": None})
    advice = advice_on(told, language)
    facts = {
        "code": stop.code,
        "field": stop.field,
        "reason": advice.reason,
        "todo": advice.todo,
        "who": advice.who_in_words,
        "since": time(stop.since),
        "attempts": stop.attempts,
        "passing": stop.passing,
    }
    return facts | {"message": stop.message, "hint": stop.hint} if personal else facts


def stopped_facts(mirror: PersonMirror, stop: Stop, language: Language) -> Json:
    return {
        "customer": mirror.leader,
        "backoffice": mirror.backoffice,
        **stop_facts(stop, language),
        "command": f"storebridge customers sync {mirror.leader}",
    }


# ---- proposals ----


def proposal_facts(proposal: Proposal) -> Json:
    return {
        "id": proposal.id,
        "customers": list(proposal.customers),
        "state": proposal.state.value,
        "score": proposal.score,
        "reasons": [reason.model_dump() for reason in proposal.reasons],
        "found_at": time(proposal.found_at),
        "decided_by": proposal.decided_by,
        "decided_at": time(proposal.decided_at),
    }


def side_by_side(sides: Sequence[tuple[Profile, str | None]], *, personal: bool) -> list[Json]:
    """Field by field what two customers show, and whether that is the same to people; values masked unless asked for.

    `sides` are profiles, each with its shop's country.
    """
    contents = [content_of_profile(profile) for profile, _ in sides]
    countries = [country for _, country in sides]
    rows = []
    for what in ProfileField:
        lines = [line_of(content.get(what)) for content in contents]
        if any(lines):
            normal = {
                normal_of(what, content[what], content, country)
                for content, country in zip(contents, countries, strict=True)
                if what in content
            }
            likeness = "one_side" if not all(lines) else "same" if len(normal) == 1 else "differs"
            values = [line if personal or line is None else masked(line) for line in lines]
            rows.append({"field": what.value, "likeness": likeness, "values": values})
    return rows


def masked(line: str) -> str:
    """`e…@e…`, `E… S…`: enough to tell two apart, too little to know who it is."""
    local, at, domain = line.rpartition("@")
    if at and local and not set(line) & set(" ,"):
        return f"{local[0]}…@{domain[:1]}…"
    if sum(character.isdigit() for character in line) > _FEW_DIGITS and not any(map(str.isalpha, line)):
        return f"…{line[-2:]}"
    return " ".join(f"{word[0]}…" if len(word) > _SHORT else "…" for word in line.split())


_FEW_DIGITS = 5
_SHORT = 2


# ---- finding ----


def found_facts(found: Mapping[CustomerKey, Iterable[str]], records: Mapping[CustomerKey, CustomerRecord]) -> Json:
    """Keys alone, with the kind of mark that each is known by."""
    return {
        "customers": [
            {
                "customer": str(key),
                "by": sorted(found[key]),
                "leader": records[key].leader,
                "account": _account(records[key]),
                "verification": records[key].verification.state.value,
            }
            for key in sorted(found, key=str)
            if key in records
        ]
    }
