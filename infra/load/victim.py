"""The stack under load: `python -m infra.local.serve` on a data folder, in a process group of its own, to be killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import IO, Any, Final, Self

import httpx

from infra.local.children import clean_environment
from infra.local.dynoxide import ENDPOINT_VARIABLE, free_port
from infra.local.provision import Contents
from infra.local.stack import ROOT

READY_LIMIT: Final = 90.0
"""Seconds until the stack must answer after a start; also until it says whether it is quiet."""
_DRAIN_LIMIT: Final = 900.0
"""Seconds until it must be. An errand that failed often waits a quarter of an hour for its next try."""
_PAUSE: Final = 0.05
_LAST_WORDS: Final = 1500
"""Characters."""


class NotReady(Exception):
    """The stack did not come up. Says where its words are."""


class Victim:
    """A context manager: started by :meth:`start`, gone on leaving. The port stays the same over every crash."""

    def __init__(self, data: Path, contents: Contents, environment: Mapping[str, str]) -> None:
        if ENDPOINT_VARIABLE in os.environ:
            raise NotReady(f"the engine must be the stack's own, to be killed with it: unset {ENDPOINT_VARIABLE}")
        data.mkdir(parents=True, exist_ok=True)
        self._data = data
        self._environment = {**clean_environment(), **environment}
        self._port = free_port()
        for name, document in (("settings", contents.settings), ("secrets", contents.secrets)):
            (data / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self._outputs: dict[str, Any] = {}
        self.http = httpx.Client(base_url=self.url, timeout=READY_LIMIT, trust_env=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """What points an AWS client at it; endpoints change with every start."""
        return dict(self._outputs["environment"])

    def start(self) -> float:
        """Start it, and return how many seconds passed until it answered.

        Raises:
            NotReady: it ended, or did not answer in time.
        """
        began = monotonic()
        files = {name: str((self._data / f"{name}.json").resolve()) for name in ("settings", "secrets")}
        command = [sys.executable, "-m", "infra.local.serve", "--port", str(self._port)]
        command += ["--data", str(self._data.resolve()), "--settings", files["settings"], "--secrets", files["secrets"]]
        with self._words() as words:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while monotonic() - began < READY_LIMIT:
            if self._process.poll() is not None:
                break
            if self._answers():
                return monotonic() - began
            sleep(_PAUSE)
        raise NotReady(f"the stack did not come up; see {self._data / 'serve.log'}")

    def kill(self) -> None:
        """SIGKILL to its group, without a warning.

        The engine and the functions are in a group of their own, led by a guard, which kills it by the same signal the
        moment the parent is gone.
        """
        if self._process is None or self._process.poll() is not None:
            return
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def drain(self) -> float:
        """Wait until every queue and stream is quiet; return the seconds it took.

        Raises:
            NotReady: it is not within a quarter of an hour.
        """
        began = monotonic()
        message = ""
        while monotonic() - began < _DRAIN_LIMIT:
            answer = self.http.post("/_local/drain")
            if answer.status_code == HTTPStatus.OK:
                return monotonic() - began
            message = answer.text
        raise NotReady(f"not quiet after {_DRAIN_LIMIT:g} seconds: {message}")

    @property
    def last_words(self) -> str:
        """How it stands, and the end of what it has written: for when it cannot be reached."""
        status = self._process.poll() if self._process else None
        written = (self._data / "serve.log").read_text(encoding="utf-8", errors="replace")
        return f"exit status {'none: it runs' if status is None else status}; it wrote last: {written[-_LAST_WORDS:]}"

    def fire(self, schedule: str) -> None:
        """Have a schedule come round now."""
        names = self.http.get("/_local/schedules").json()["schedules"]
        (name,) = [known for known in names if known.endswith(schedule)]
        self.http.post(f"/_local/schedules/{name}").raise_for_status()

    def close(self) -> None:
        self.http.close()
        self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answers(self) -> bool:
        try:
            answer = self.http.get("/_local/outputs", timeout=2.0)
        except httpx.TransportError:
            return False
        if answer.status_code != HTTPStatus.OK:
            return False
        self._outputs = answer.json()
        return True

    def _words(self) -> IO[bytes]:
        return (self._data / "serve.log").open("ab")
