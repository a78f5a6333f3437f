"""Child processes that never outlive us, even when we are killed with `kill -9`. POSIX."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

_GUARD = "read -r line; kill -KILL 0"
"""Reads a pipe that only we hold open: when we are gone the read ends, and the guard's whole group goes with it."""


class Children:
    """A process group led by a guard. Closing it, or our end, kills every member.

    A group of its own also keeps Ctrl-C in the terminal from reaching the children before we have drained them.
    """

    def __init__(self) -> None:
        self._guard = subprocess.Popen(  # noqa: S603  # a constant
            ["/bin/sh", "-c", _GUARD], stdin=subprocess.PIPE, process_group=0
        )

        self._members: list[subprocess.Popen[bytes]] = []

    def start(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        output: IO[bytes] | int,
        keeping: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        """Start a member of the group; both its output streams go to `output`, and it keeps those descriptors open."""
        process = subprocess.Popen(  # noqa: S603  # our own programs, no shell
            command,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=self._guard.pid,
            pass_fds=keeping,
        )
        self._members = [member for member in self._members if member.poll() is None] + [process]
        return process

    @property
    def pids(self) -> list[int]:
        return [self._guard.pid, *(member.pid for member in self._members)]

    def close(self) -> None:
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait()
        for member in self._members:
            member.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def clean_environment() -> dict[str, str]:
    """What a program needs to start, and nothing of ours: neither proxies nor credentials."""
    return {key: os.environ[key] for key in ("HOME", "LANG", "PATH", "TMPDIR") if key in os.environ}
