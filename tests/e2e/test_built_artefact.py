"""What `sam build` makes runs in AWS's runtime client with nothing else to import from."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import httpx
import pytest

from infra.local.provision import Contents
from infra.local.stack import HERE, ROOT, LocalStack, Options
from infra.local.wheels import fetch_wheels

FUNCTION = "OrderWebhookFunction"
"""Any would do: all functions share one build root."""
CACHE = ROOT / ".cache" / "artefact"
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 13),
    reason="needs Python 3.13, the functions' runtime: run the tests with python3.13",
)


@pytest.fixture(scope="module")
def artefact() -> Path:
    """The function as SAM builds it for this machine. Built again only when something that goes into it changed."""
    built = CACHE / "build" / FUNCTION
    mark = CACHE / "made_from"
    key = made_from()
    if not (built.is_dir() and mark.exists() and mark.read_text(encoding="utf-8") == key):
        mark.unlink(missing_ok=True)
        build()
        mark.write_text(key, encoding="utf-8")
    return built


def build() -> None:
    own = ROOT / ".venv-sam" / "bin" / "sam"
    sam = str(own) if own.exists() else shutil.which("sam")
    if sam is None:
        pytest.fail("there is no sam: install it as requirements/sam.txt says")
    architecture = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    wheels = fetch_wheels(ROOT / ".cache" / "wheels", ROOT / "infra" / "lambda" / "requirements.txt")
    CACHE.mkdir(parents=True, exist_ok=True)
    built = subprocess.run(
        [
            *(sam, "build", FUNCTION, "--no-cached", "--region", "eu-west-1", "--build-dir", str(CACHE / "build")),
            *("--parameter-overrides", f"Architecture={architecture}"),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{base_python().parent}:{os.environ['PATH']}",
            "SAM_CLI_TELEMETRY": "0",
            # Only from the folder: a test does not reach the network.
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(wheels),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-3000:]


def made_from() -> str:
    """A digest of all that the build reads."""
    digest = hashlib.sha256()
    sources = (ROOT / name for name in ("functions", "shared"))
    files = [ROOT / "template.yaml", ROOT / "samconfig.toml", ROOT / "infra" / "lambda" / "requirements.txt"]
    for path in [*files, *sorted(file for source in sources for file in source.rglob("*.py"))]:
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with an empty site-packages."""
    home = tmp_path_factory.mktemp("bare")
    subprocess.run([base_python(), "-m", "venv", "--without-pip", home], check=True)
    return home / "bin" / "python"


@pytest.fixture(scope="module")
def runtime_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the runtime client and what it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("client")
    installed = Path(sysconfig.get_path("platlib"))
    for name in RUNTIME_CLIENT:
        tops = {file.parts[0] for file in distribution(name).files or () if not file.parts[0].startswith((".", "__"))}
        for top in tops:
            (folder / top).symlink_to(installed / top)
    return folder


@pytest.fixture(scope="module")
def stack(artefact: Path, bare_python: Path, runtime_client: Path) -> Iterator[LocalStack]:
    contents = Contents(
        settings=tomllib.loads((HERE / "settings.toml").read_text(encoding="utf-8")),
        secrets=tomllib.loads((HERE / "secrets.example.toml").read_text(encoding="utf-8")),
    )
    options = Options(
        contents=contents,
        task_root=artefact,
        interpreter=bare_python,
        python_path=(runtime_client,),
        environments_per_function=1,
        retry_after=0,
    )
    with LocalStack(options) as running:
        yield running


def base_python() -> Path:
    return Path(sys.base_prefix) / "bin" / "python3.13"


@pytest.mark.parametrize("package", ["boto3", "pydantic", "aws_lambda_powertools", "functions", "shared"])
def test_only_the_artefact_brings_what_the_functions_import(
    artefact: Path, bare_python: Path, runtime_client: Path, package: str
) -> None:
    def imports(*places: Path) -> bool:
        environment = {"PYTHONPATH": os.pathsep.join(str(place) for place in places)}
        run = subprocess.run(
            [bare_python, "-c", f"import {package}"], cwd=places[0], env=environment, capture_output=True, check=False
        )
        return run.returncode == 0

    assert not imports(runtime_client)
    assert imports(artefact)


def test_the_artefact_holds_nothing_but_code(artefact: Path) -> None:
    own = {path.name for path in artefact.iterdir() if not path.name.endswith((".dist-info", ".data"))}
    assert {"functions", "shared", "requirements.txt"} <= own
    assert not own & {"tests", "infra", "events", "template.yaml"}
    assert not (artefact / "functions").is_symlink()
    assert (artefact / "functions" / "order_webhook" / "handler.py").is_file()


def test_the_built_functions_take_an_order_from_webhook_to_table(stack: LocalStack) -> None:
    event = json.loads((ROOT / "events" / "order_webhook_shopify.json").read_text(encoding="utf-8"))
    answer = httpx.post(
        stack.url + event["rawPath"], content=event["body"].encode(), headers=event["headers"], trust_env=False
    )
    assert answer.status_code == 200, log_of(stack)
    stack.drain()
    stored = stack.clients.dynamodb.query(
        TableName="storebridge-orders",
        KeyConditionExpression="pk = :order",
        ExpressionAttributeValues={":order": {"S": "aurora/5001"}},
    )
    assert stored["Count"] > 0, log_of(stack)
    stack.schedules.fire("storebridge-order-review")
    stack.drain()
    url = stack.clients.sqs.get_queue_url(QueueName="storebridge-schedule-failures")["QueueUrl"]
    assert "Messages" not in stack.clients.sqs.receive_message(QueueUrl=url), log_of(stack)


def log_of(stack: LocalStack) -> str:
    return "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in sorted(stack.logs.iterdir()))
