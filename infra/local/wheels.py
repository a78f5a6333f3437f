"""The packages that the functions bring along, as wheels in a folder: with them `sam build` needs no network."""

import hashlib
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

_PYTHON = "3.13"
_PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")
"""What Amazon Linux 2023, the functions' system, can load."""


class WheelsUnavailable(Exception):
    """The packages could not be fetched. Says why."""


def fetch_wheels(cache: Path, requirements: Path) -> Path:
    """The folder of wheels for exactly these requirements and this machine's processor, fetched when it is not there.

    Raises:
        WheelsUnavailable: pip could not fetch them, or a hash differs.
    """
    machine = "aarch64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    folder = cache / f"{machine}-{digest[:16]}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as fresh:
            _download(requirements, machine, Path(fresh) / "wheels")
            (Path(fresh) / "wheels").replace(folder)
    return folder


def _download(requirements: Path, machine: str, folder: Path) -> None:
    platforms = [option for name in _PLATFORMS for option in ("--platform", f"{name}_{machine}")]
    fetched = subprocess.run(  # noqa: S603  # constants, no shell
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--no-deps", "--only-binary=:all:", "--implementation", "cp"),
            *("--python-version", _PYTHON, *platforms, "--dest", str(folder), "--requirement", str(requirements)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode:
        raise WheelsUnavailable(f"pip could not fetch the functions' packages: {fetched.stderr.strip()[-500:]}")
