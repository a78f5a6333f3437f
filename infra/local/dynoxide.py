"""The local DynamoDB engine: Dynoxide, pinned by version and hash, fetched once through the npm client.

Another engine (DynamoDB Local, say) can stand in: name its endpoint in `STOREBRIDGE_DYNAMODB_ENDPOINT`.
"""

import os
import platform
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.local.children import Children, clean_environment
from infra.local.npm import NotFetched, fetch_member

PACKAGE = "@dynoxide/linux-x64"
VERSION = "1.2.1"
BINARY_SHA256 = "be909b7910d3fb552e85db10ef3c8ebae4bd35fee0f26dffdb6dfa5cc656426e"
ENDPOINT_VARIABLE = "STOREBRIDGE_DYNAMODB_ENDPOINT"
START_LIMIT = 15.0
"""Seconds until the engine must answer."""


class EngineUnavailable(Exception):
    """There is no DynamoDB engine. Says what to do."""


def start_engine(children: Children, cache: Path, database: Path | None, *, keeping: Sequence[int] = ()) -> str:
    """Start the engine on a free loopback port, in memory or on a file, and return its endpoint.

    The file is SQLite's in WAL mode. 1.2.1 was seen to flush it to the disk (`fsync`) before it answers a write.
    `keeping`: descriptors that it is to hold open.

    Raises:
        EngineUnavailable: it cannot be had on this machine, or does not start.
    """
    given = os.environ.get(ENDPOINT_VARIABLE)
    if given:
        return given
    binary = fetch_engine(cache)
    port = free_port()
    command = [str(binary), "serve", "--host", "127.0.0.1", "--port", str(port)]
    if database is not None:
        command += ["--db-path", str(database.resolve())]
    process = children.start(command, env=clean_environment(), cwd=cache, output=subprocess.DEVNULL, keeping=keeping)
    _await_port(process, port)
    return f"http://127.0.0.1:{port}"


def fetch_engine(cache: Path) -> Path:
    """The verified program in the cache, fetched when it is not there yet, or `EngineUnavailable`."""
    _require_platform()
    try:
        binary = fetch_member(f"{PACKAGE}@{VERSION}", "package/dynoxide", BINARY_SHA256, cache / f"dynoxide-{VERSION}")
    except NotFetched as error:
        raise EngineUnavailable(f"the DynamoDB engine is missing: {error}") from error
    binary.chmod(0o755)
    return binary


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _require_platform() -> None:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise EngineUnavailable(
            f"Dynoxide is pinned for Linux on x86-64 only: run DynamoDB Local and set {ENDPOINT_VARIABLE} to its URL"
        )


def _await_port(process: subprocess.Popen[bytes], port: int) -> None:
    tries = int(START_LIMIT / 0.02)
    for _ in range(tries):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            process.wait(timeout=0.02)
        except subprocess.TimeoutExpired:
            continue
        raise EngineUnavailable(f"the DynamoDB engine ended at once with exit status {process.returncode}")
    raise EngineUnavailable(f"the DynamoDB engine did not answer within {START_LIMIT:g} seconds")
