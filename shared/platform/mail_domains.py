"""Whether a domain takes mail at all, as the DNS says (RFC 5321 section 5.1, RFC 7505)."""

from functools import cache
from typing import Any

_TIMEOUT_SECONDS = 2


def takes_mail(domain: str) -> bool | None:
    """True when the domain has a mail exchanger or an address; False when it says that it has none, or does not exist.

    None when the DNS did not answer in time: nothing is known then, and nobody is to be suspected for it.
    """
    from email_validator.deliverability import validate_email_deliverability  # noqa: PLC0415 - few shops ask
    from email_validator.exceptions import EmailUndeliverableError  # noqa: PLC0415

    try:
        found = validate_email_deliverability(domain, domain, dns_resolver=_resolver())
    except EmailUndeliverableError:
        return False
    return None if "unknown-deliverability" in found else True


@cache
def _resolver() -> Any:
    """One resolver for the environment's life: it keeps answers for as long as the DNS allows."""
    from email_validator.deliverability import caching_resolver  # noqa: PLC0415

    return caching_resolver(timeout=_TIMEOUT_SECONDS)
