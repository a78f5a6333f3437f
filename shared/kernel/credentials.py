"""Credentials for one account of somebody else's API, as adapters are handed them."""

from collections.abc import Mapping
from typing import Protocol


class Credentials(Protocol):
    """The credentials by name. `fresh=True` reads them again from the store: once, after they were refused."""

    def __call__(self, *, fresh: bool = False) -> Mapping[str, str]: ...
