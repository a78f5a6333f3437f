"""Fetch Shopify's published Admin schema, which the contract tests check our queries against.

`python -m infra.local.shopify_schema` takes it out of Shopify's own npm package with the npm client, whichever
registry that is set up for, and puts it below `.cache/`, which git ignores.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

API_VERSION: Final = "2026-10"
PACKAGE: Final = "@shopify/dev-mcp@1.16.0"
MEMBER: Final = f"package/dist/data/admin_{API_VERSION}.json.gz"
SHA256: Final = "f3b522f264556925eada700e795e4a002a9cba83444ebcc6c0d724254a0c6593"
SCHEMA_FILE: Final = Path(__file__).parents[2] / ".cache" / "shopify" / f"admin_{API_VERSION}.json.gz"


class SchemaUnavailable(RuntimeError):
    """The schema cannot be had, or is not the one that was pinned."""


def fetch_schema(target: Path = SCHEMA_FILE) -> Path:
    """Put the pinned schema at `target` unless it is there already.

    Raises:
        SchemaUnavailable: there is no npm client, it fails, or the file is not the pinned one.
    """
    if target.exists() and _digest(target.read_bytes()) == SHA256:
        return target
    with tempfile.TemporaryDirectory() as folder:
        schema = _extract(_pack(Path(folder)))
    if _digest(schema) != SHA256:
        raise SchemaUnavailable(f"{MEMBER} of {PACKAGE} is not the file that was pinned")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(schema)
    return target


def _pack(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise SchemaUnavailable("the npm client is not installed")
    command = [npm, "pack", PACKAGE, "--silent", "--pack-destination", str(folder)]
    done = subprocess.run(command, capture_output=True, cwd=folder, check=False)  # noqa: S603  # fixed arguments
    tarballs = list(folder.glob("*.tgz"))
    if done.returncode or not tarballs:
        raise SchemaUnavailable(f"npm pack {PACKAGE} failed with exit code {done.returncode}")
    return tarballs[0]


def _extract(tarball: Path) -> bytes:
    with tarfile.open(tarball) as archive:
        try:
            member = archive.extractfile(MEMBER)
        except KeyError as error:
            raise SchemaUnavailable(f"{PACKAGE} holds no {MEMBER}") from error
        if member is None:
            raise SchemaUnavailable(f"{MEMBER} of {PACKAGE} is no file")
        return member.read()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def run() -> int:
    try:
        fetch_schema()
    except SchemaUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run())
