"""`python -m tests.fuzz [--target NAME …] [--minutes M | --runs N] [--seed S] [--plain]`.

With atheris, which is not among the requirements (`pip install atheris`; not every Python has one), inputs are guided
by the coverage of our code; without it, or with `--plain`, they are grown from valid samples. Each target runs in a
process of its own, for as long as its share of the minutes. An input that breaks a promise is kept in `build/fuzz/`
and named; put it into `tests/fuzz/corpus/TARGET/` once it is mended, where each test run tries it again.
"""

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

FOUND: Final = Path(__file__).parents[2] / "build" / "fuzz"
_TOTAL_MINUTES: Final = 10.0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Try everything that reads foreign bytes."
    )
    parser.add_argument("--target", action="append", help="one of the targets; all of them unless given")
    parser.add_argument("--minutes", type=float, default=None, help="for all targets together (10)")
    parser.add_argument("--runs", type=int, default=None, help="executions of each target, in place of --minutes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="without atheris, also where there is one")
    chosen = parser.parse_args()
    guided = not chosen.plain and find_spec("atheris") is not None
    FOUND.mkdir(parents=True, exist_ok=True)
    if chosen.target and len(chosen.target) == 1:
        seconds = None if chosen.runs else 60 * (chosen.minutes or 1.0)
        run = _guided if guided else _plain
        return run(chosen.target[0], chosen.runs, seconds, chosen.seed)
    names = chosen.target or list(import_module("tests.fuzz.targets").TARGETS)
    return _each(names, chosen)


def _each(names: list[str], chosen: argparse.Namespace) -> int:
    share = (chosen.minutes or _TOTAL_MINUTES) / len(names)
    length = ["--runs", str(chosen.runs)] if chosen.runs else ["--minutes", str(share)]
    more = ["--plain"] if chosen.plain else []
    failed = []
    for name in names:
        command = [sys.executable, "-m", "tests.fuzz", "--target", name, *length, "--seed", str(chosen.seed), *more]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    print(f"{len(names)} targets; failed: {', '.join(failed) or 'none'}")  # noqa: T201 - a command
    return 1 if failed else 0


def _plain(name: str, runs: int | None, seconds: float | None, seed: int) -> int:
    from tests.fuzz.engine import attempt, inputs  # noqa: PLC0415 - atheris wants to see them imported
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415

    target, ends = TARGETS[name], None if seconds is None else time.monotonic() + seconds
    done = 0
    for data in inputs(name, target, seed):
        if (runs is not None and done >= runs) or (ends is not None and time.monotonic() > ends):
            break
        try:
            attempt(target, data)
        except BaseException:
            path = FOUND / f"{name}-{hashlib.sha256(data).hexdigest()[:16]}"
            path.write_bytes(data)
            print(f"{name}: failed after {done} executions with the input in {path}")  # noqa: T201 - a command
            raise
        done += 1
    print(f"{name}: {done} executions")  # noqa: T201 - a command
    return 0


def _guided(name: str, runs: int | None, seconds: float | None, seed: int) -> int:
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=["shared", "mt940"]):
        targets = import_module("tests.fuzz.targets").TARGETS
    engine = import_module("tests.fuzz.engine")
    target = targets[name]
    samples = [*engine.remembered(name), *target.samples()]

    def mutated(data: bytes, most: int, chance: int) -> bytes:
        """Half of them by our own changes, which know JSON; half by libFuzzer's."""
        random_source = random.Random(chance)  # noqa: S311 - repeats, and protects nothing
        if random_source.random() < 0.5:
            return bytes(engine.grown([data or b"{}"], random_source))[:most]
        return bytes(atheris.Mutate(data, most))

    with tempfile.TemporaryDirectory() as folder:
        for number, sample in enumerate(samples):
            (Path(folder) / f"{number:04}").write_bytes(sample)
        length = [f"-runs={runs}"] if runs else [f"-max_total_time={int(seconds or 60)}"]
        options = [f"-seed={seed}", f"-max_len={engine.MOST_BYTES}", f"-artifact_prefix={FOUND}/{name}-", "-timeout=20"]
        options += ["-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"]
        atheris.Setup(
            [sys.argv[0], *length, *options, folder],
            lambda data: engine.attempt(target, data),
            custom_mutator=mutated,
        )
        print(f"{name}: guided", flush=True)  # noqa: T201 - a command
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
