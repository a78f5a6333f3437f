"""One stack at a time on a data folder, also right after a `kill -9`. POSIX."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final

PATIENCE: Final = 10.0
"""Seconds until the children of a stack that was killed must have ended; it takes a few milliseconds."""
_PAUSE: Final = 0.02


class DataFolderInUse(Exception):
    """Another stack runs on the folder."""


@contextmanager
def held(folder: Path, patience: float = PATIENCE) -> Iterator[int]:
    """Make the folder and hold it, as a file descriptor to hand to every child that writes into it.

    The lock belongs to the open file and not to a process: it lasts until we and the last such child are gone. So a
    start after a kill waits for an engine that has not ended yet, instead of opening its file beside it.

    Raises:
        DataFolderInUse: somebody else holds it, and still does after `patience` seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    deadline = monotonic() + patience
    with (folder / "lock").open("ab") as lock:
        while not _taken(lock.fileno()):
            if monotonic() > deadline:
                raise DataFolderInUse(f"another local stack runs on {folder}: stop it, or name another folder")
            sleep(_PAUSE)
        yield lock.fileno()


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
