"""Put one thing that somebody did on the audit trail."""

from collections.abc import Callable, Mapping

import tenacity

from shared.finance.audit import next_record
from shared.finance.cases import AuditRecord
from shared.finance.ports import AuditTrail
from shared.kernel.clock import Clock


def record(
    trail: AuditTrail,
    clock: Clock,
    retrying: Callable[[], tenacity.Retrying],
    act: tuple[str, str, str],
    detail: Mapping[str, str],
) -> AuditRecord:
    """Append what was done. `act`: who did it, what (`file.imported`), and to what.

    Raises:
        Conflict: others kept appending meanwhile, as often as `retrying` tries.
        Retry: the store is out of reach; the record may be there or not.
    """
    return retrying()(_append, trail, clock, act, detail)


def _append(trail: AuditTrail, clock: Clock, act: tuple[str, str, str], detail: Mapping[str, str]) -> AuditRecord:
    actor, action, subject = act
    made = next_record(trail.last_record(), clock(), actor, action, subject, detail)
    trail.append(made)
    return made
