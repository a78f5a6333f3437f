"""`python -m infra.scan`: look for weak spots in the template, in our code and in what we build on.

- checkov on the template as it is deployed, with keys that AWS manages and with keys of the merchant's own; what is not
  followed, and why, is in `.checkov.yaml` and in the metadata of single resources;
- bandit on our code, from medium severity on;
- pip-audit on every lock file: it asks an advisory service on the network;
- a list of all that is deployed (CycloneDX) into `build/`.

Status 0: all looked at, nothing found. 1: something was found. 2: something could not be looked at, which is said.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from infra.local.intrinsics import ACCOUNT, REGION, Resolver
from infra.local.template import load_resolver

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".venv-scan" / "bin"
OUT = ROOT / "build"
DEPLOYED = ROOT / "infra" / "lambda" / "requirements.txt"

_A_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "managed-keys": {},
    "own-keys": {
        "DataKeyArn": _A_KEY,
        "PersonalDataKeyArn": _A_KEY,
        "EmailIdentityArn": f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/shop.example",
        "NoticeTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:notices",
        "AlarmEmail": "operations@shop.example",
        "AlarmScope": "all",
    },
}
"""The two ways to deploy the template: with as little as possible, and with everything."""
OF_OWN_KEYS = {"managed-keys": frozenset({"CKV_AWS_119", "CKV_AWS_149"})}
"""Checks that ask for keys of one's own, at $1 a month each: they hold once the merchant names keys."""


class NotLookedAt(Exception):
    """A tool could not do its work. Says which and why."""


@dataclass(frozen=True)
class Verdict:
    tool: str
    looked_at: str
    findings: tuple[str, ...] = ()


def deployed(resolver: Resolver) -> dict[str, Any]:
    """The template as CloudFormation sees it once all parameters and conditions are settled."""
    resources = {
        name: {**resource, "Properties": resolver.resolve(resource.get("Properties", {}))}
        for name, resource in resolver.template["Resources"].items()
        if resolver.exists(resource)
    }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def template() -> Verdict:
    folder = OUT / "scan"
    folder.mkdir(parents=True, exist_ok=True)
    for name, parameters in VARIANTS.items():
        document = deployed(load_resolver(ROOT / "template.yaml", parameters))
        (folder / f"{name}.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    report = _json("checkov", ["--config-file", str(ROOT / ".checkov.yaml"), "--directory", str(folder), "-o", "json"])
    return template_verdict(report)


def template_verdict(report: Mapping[str, Any]) -> Verdict:
    """What checkov's report says.

    Raises:
        NotLookedAt: it read no template, or could not read one.
    """
    summary = report.get("summary", report)
    if summary.get("parsing_errors") or not summary.get("passed"):
        raise NotLookedAt("checkov could not read the template")
    found = {
        f"{one['check_id']} {one['check_name']}: {one['resource']}"
        for one in report["results"]["failed_checks"]
        if one["check_id"] not in OF_OWN_KEYS.get(Path(one["file_path"]).stem, ())
    }
    told = f"{summary['passed']} checks held, {summary['skipped']} were skipped by the metadata of single resources"
    return Verdict("checkov", told, tuple(sorted(found)))


def code() -> Verdict:
    report = _json("bandit", ["-q", "-r", "functions", "shared", "infra", "-x", "./infra/lambda", "-f", "json"])
    return code_verdict(report)


def code_verdict(report: Mapping[str, Any]) -> Verdict:
    """What bandit's report says, from medium severity on.

    Raises:
        NotLookedAt: there are files that it could not read.
    """
    if report["errors"]:
        raise NotLookedAt(f"bandit could not read {report['errors'][0]['filename']}")
    totals = report["metrics"]["_totals"]
    found = tuple(
        f"{one['test_id']} {one['issue_text']} ({one['filename']}:{one['line_number']})"
        for one in report["results"]
        if one["issue_severity"] != "LOW"
    )
    return Verdict("bandit", f"{totals['loc']} lines, {totals['SEVERITY.LOW']} remarks of low severity", found)


def requirements(lock: Path) -> Verdict:
    where = str(lock.relative_to(ROOT))
    report = _json("pip-audit", ["-r", where, "--disable-pip", "--require-hashes", "--progress-spinner", "off",
                                 "-f", "json"])  # fmt: skip
    return requirements_verdict(where, report)


def requirements_verdict(where: str, report: Mapping[str, Any]) -> Verdict:
    """What pip-audit's report says of one lock file.

    Raises:
        NotLookedAt: the advisory service knows nothing of some package. pip-audit itself calls that a success.
    """
    packages: Sequence[Mapping[str, Any]] = report["dependencies"]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if unknown or not packages:
        missed = f"{len(unknown)} of {len(packages)} packages"
        raise NotLookedAt(f"{where}: the advisory service answers nothing about {missed}")
    found = tuple(
        f"{package['name']} {package['version']}: {one['id']}, mended in {one['fix_versions'] or 'no version'}"
        for package in packages
        for one in package["vulns"]
    )
    return Verdict("pip-audit", f"{where}: {len(packages)} packages", found)


def parts() -> Verdict:
    """Write the list of what is deployed."""
    target = OUT / "sbom.cdx.json"
    OUT.mkdir(exist_ok=True)
    where = str(DEPLOYED.relative_to(ROOT))
    _run("cyclonedx-py", ["requirements", where, "--output-reproducible", "--of", "JSON", "-o", str(target)])
    listed = json.loads(target.read_text(encoding="utf-8"))["components"]
    return Verdict("cyclonedx", f"{len(listed)} packages in {target.relative_to(ROOT)}")


def _json(tool: str, arguments: Sequence[str]) -> Any:
    answer = _run(tool, arguments)
    try:
        return json.loads(answer.stdout)
    except ValueError as error:
        last = (answer.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise NotLookedAt(f"{tool}: {last[:300]}") from error


def _run(tool: str, arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603 - the tools of our own lock file
            [str(TOOLS / tool), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise NotLookedAt(f"{tool} is not there: make scan sets it up") from error


def others() -> list[Path]:
    """The lock files of what is not deployed."""
    return sorted((ROOT / "requirements").glob("*.txt"))


def run() -> int:
    """Look at everything, also where something was found; returns the exit status."""
    found, missed = _tell([template, code, parts])
    # Where the service knows nothing of what is deployed, it is not reached: the other locks would tell the same.
    of_deployed = _tell([partial(requirements, DEPLOYED)])
    of_others = _tell([partial(requirements, lock) for lock in others()]) if not of_deployed[1] else (0, 0)
    found += of_deployed[0] + of_others[0]
    missed += of_deployed[1] + of_others[1]
    if of_deployed[1]:
        sys.stdout.write(
            "NOT LOOKED AT  nor the other lock files: run this where the advisory service can be reached\n"
        )
    return 1 if found else 2 if missed else 0


def _tell(looks: Sequence[Callable[[], Verdict]]) -> tuple[int, int]:
    """Look and tell; returns how much was found, and how often nothing could be looked at."""
    found = missed = 0
    for look in looks:
        try:
            verdict = look()
        except NotLookedAt as error:
            missed += 1
            sys.stdout.write(f"NOT LOOKED AT  {error}\n")
            continue
        found += len(verdict.findings)
        sys.stdout.write(f"{'FOUND' if verdict.findings else 'clear':14} {verdict.tool}: {verdict.looked_at}\n")
        for finding in verdict.findings:
            sys.stdout.write(f"               {finding}\n")
    return found, missed


if __name__ == "__main__":
    sys.exit(run())
