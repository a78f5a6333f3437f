"""Plausible defects, each put into the running code: the simulation has to notice every one of them."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def installed(name: str | None) -> Iterator[None]:
    """Within it, the code has this defect."""
    if name is not None:
        raise NotImplementedError(name)
    yield
