"""A REST error in the place of what a webhook is about."""

from typing import Any

from shared.kernel.errors import Rejected
from shared.storefronts.lenient import read
from shared.storefronts.woocommerce import schemas

_NOT_FOUND = 404
_REST_ERRORS = ("woocommerce_rest_", "wc_user_")


def require_gone(body: dict[str, Any], *, resource: str) -> None:
    """Return when the signed body says that the resource was deleted meanwhile.

    A delivery that its webhook's user has no permission for carries a REST error as well. That one loses accounts, so
    it must not pass quietly.

    Raises:
        Rejected: `invalid_payload`, for any other error, and for a body that is none.
    """
    error = read(schemas.RestError, body)
    status = error.data.status if error.data else None
    if error.code.startswith(_REST_ERRORS) and status == _NOT_FOUND:
        return
    raise Rejected(
        "invalid_payload",
        f"the storefront sent a REST error ({status}) in place of the {resource}",
        hint=f"the webhook must belong to a user who may read {resource}s",
    )
