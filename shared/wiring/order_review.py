"""Put the scheduled review together: every shop's waiting orders, within the function's time."""

from collections import Counter
from collections.abc import Callable

from shared.orders.reconsider import Reconsidered, reconsider_shop
from shared.platform.configuration import settings
from shared.platform.observability import count, logger
from shared.wiring.order_desk import desk


def review_all(has_time: Callable[[], bool]) -> dict[str, int]:
    """Look again at what waits; stop early when time runs out, the rest waits for the next run.

    Returns how many orders were `changed`, `unchanged` or `postponed`, and 1 under `unfinished` after an early stop.
    """
    tally: Counter[str] = Counter(changed=0, unchanged=0, postponed=0, unfinished=0)
    for shop in settings().shops:
        for looked_at in reconsider_shop(shop, desk(shop)):
            tally[_verdict(looked_at)] += 1
            if not has_time():
                tally["unfinished"] = 1
                count("ReviewUnfinished", shop=shop)
                return dict(tally)
    logger().info("waiting orders reviewed", extra=dict(tally))
    return dict(tally)


def _verdict(looked_at: Reconsidered) -> str:
    if looked_at.postponed:
        logger().info("order left for later", extra={"order": str(looked_at.key), "why": looked_at.postponed})
        return "postponed"
    if looked_at.after is None:
        return "unchanged"
    logger().info("order moved on", extra={"order": str(looked_at.key), "status": looked_at.after.status})
    return "changed"
