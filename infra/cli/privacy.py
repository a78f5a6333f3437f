"""`storebridge privacy`."""

import os
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status

from infra.cli.order_facts import Json
from infra.cli.output import Output
from infra.cli.privacy_facts import (
    exported,
    foretold,
    in_order,
    listed,
    opened,
    ran,
    shown,
    summary,
    verified,
    whole,
    would_erase,
    written,
)
from infra.cli.privacy_rehearsal import rehearse
from infra.cli.target import ACTOR_VARIABLE, Session, actor, connected
from shared.kernel.clock import utc_now
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.kernel.identifiers import CustomerKey
from shared.sync.jobs import Worker
from shared.sync.privacy.erase import work_on
from shared.sync.privacy.export import export_person
from shared.sync.privacy.models import ErasureProof, PrivacyRequest, RequestState, faults_in_chain
from shared.sync.privacy.ports import PrivacyDesk, RequestDesk
from shared.sync.privacy.requests import answered as close_data_request
from shared.sync.privacy.requests import open_erasure
from shared.sync.privacy.requests import start as start_erasure
from shared.wiring.customer_privacy import privacy_desk, privacy_table, request_desk
from shared.wiring.level_tables import job_table

app = typer.Typer(
    no_args_is_help=True, help="What people may ask for under the law: hand their data over, erase it, prove it."
)

_LEASE = timedelta(minutes=20)
"""As long as the function's own: two that work on one request wait for each other."""
_MODE = 0o600

Which = Annotated[str, typer.Argument(metavar="ID", help="As privacy list shows it.", show_default=False)]
Person = Annotated[str, typer.Argument(metavar="KEY", help="Such as aurora/customer/17.", show_default=False)]
By = Annotated[str | None, typer.Option("--by", help=f"Who answers for it [{ACTOR_VARIABLE}, or your user name].")]


# Requests


@app.command("list", epilog="Example: storebridge privacy list --all")
def list_requests(
    ctx: typer.Context,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also what is done.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> None:
    """What storefronts and operators asked for, what is due first, first; overdue in red."""
    here = connected(ctx)
    found = in_order(privacy_table().unfinished())
    if everything:
        found += sorted(privacy_table().closed(), key=lambda request: (request.asked_at, request.id), reverse=True)
    now = utc_now()
    facts: Json = {
        "requests": [summary(request, now) for request in found[:limit]],
        "overdue": sum(request.is_overdue(now) for request in found),
        "more": max(0, len(found) - limit),
        "all": everything,
    }
    here.output.show(facts, listed)


@app.command(epilog="Example: storebridge privacy show erasure-5f0c1d2e3a4b")
def show(ctx: typer.Context, request: Which) -> None:
    """Where one request stands; once it is done, the proof: what was erased where, as counts, and what was kept."""
    here = connected(ctx)
    found = _required(request)
    here.output.show(whole(found, _proof_of(found), utc_now()), shown)


def _required(request_id: str) -> PrivacyRequest:
    found = privacy_table().find(request_id)
    if found is None:
        hint = "see storebridge privacy list --all"
        raise Rejected("unknown_request", "there is no request of this id", field="request", hint=hint)
    return found


def _proof_of(request: PrivacyRequest) -> ErasureProof | None:
    if request.proof is None:
        return None
    return next((proof for proof in privacy_table().proofs() if proof.number == request.proof), None)


@app.command(epilog="Example: storebridge privacy start erasure-5f0c1d2e3a4b --by mia")
def start(ctx: typer.Context, request: Which, *, by: By = None) -> None:
    """Let an erasure begin that waits for you (privacy.erase_at_once = false), or one that failed go on."""
    here = connected(ctx)
    _required(request)
    begun = start_erasure(request, by=actor(by), desk=request_desk())
    here.output.show({"request": summary(begun, utc_now())}, opened)


@app.command(epilog="Example: storebridge privacy answered data-request-5f0c1d2e3a4b --by mia")
def answered(ctx: typer.Context, request: Which, *, by: By = None) -> None:
    """Close a data request, once the data has been handed over."""
    here = connected(ctx)
    _required(request)
    closed = close_data_request(request, by=actor(by), desk=request_desk())
    here.output.show({"request": summary(closed, utc_now())}, opened)


# Export


@app.command(epilog="Example: storebridge privacy export aurora/customer/17 --out person.json")
def export(
    ctx: typer.Context,
    customer: Person,
    *,
    out: Annotated[Path, typer.Option("--out", help="A file that is not there yet.", show_default=False)],
) -> None:
    """Write all that is kept about a person, of all their accounts, into a file that only you can read."""
    key = CustomerKey.parse(customer)
    here = connected(ctx)
    if os.path.lexists(out):
        raise _taken(out)
    with here.output.progress("Gathering …"):
        document = export_person(key, privacy_desk())
    _keep(out, document.model_dump_json(indent=2).encode() + b"\n")
    here.output.show({"file": str(out), **exported(document)}, written)


def _keep(out: Path, content: bytes) -> None:
    """Make the file; one that is there is neither followed nor overwritten."""
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    except FileExistsError as error:
        raise _taken(out) from error
    except OSError as error:
        raise _unwritable(out, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except OSError as error:
        out.unlink(missing_ok=True)  # half a document is worse than none
        raise _unwritable(out, error) from error


def _taken(out: Path) -> Rejected:
    return Rejected("file_exists", f"{out} is there already", field="out", hint="name another file, or remove this one")


def _unwritable(out: Path, error: OSError) -> Rejected:
    return Rejected("unwritable_file", f"{out} cannot be written: {error.strerror}", field="out")


# Erasure


@app.command(epilog="Example: storebridge privacy erase aurora/customer/17 --dry-run")
def erase(
    ctx: typer.Context,
    customer: Person,
    *,
    only_this: Annotated[
        bool, typer.Option("--only-this-customer", help="Not the same person's accounts at other shops.")
    ] = False,
    although_open: Annotated[
        bool, typer.Option("--although-open", help="Although goods are still to be sent to them.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    by: By = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be erased where, and erase nothing.")
    ] = False,
) -> None:
    """Have everything about a person erased: tables, archive, dead-letter queues, back office. It cannot be undone.

    It begins with the next run, within a quarter of an hour, and is done within the deadline; what must be kept by law
    is named in the proof. Nobody who was erased is taken in again, whatever the shop sends.
    """
    key = CustomerKey.parse(customer)
    here = connected(ctx)

    def ask(desk: RequestDesk) -> PrivacyRequest:
        return _open(key, desk, by=actor(by), only_this=only_this, although_open=although_open)

    if dry_run:
        here.output.note("Reading the archive from the person's first day on.")
        with here.output.progress("Rehearsing …") as progress:
            rehearsed = rehearse(ask, privacy_desk(), lambda request: _tell(progress, request))
        here.output.show({"dry_run": True, **would_erase(rehearsed)}, foretold)
        return
    _confirm(here.output, f"Erase {key}{'' if only_this else ' and all their accounts'} for good?", yes=yes)
    request = ask(request_desk())
    here.output.show({"dry_run": False, "request": summary(request, utc_now())}, opened)


def _open(key: CustomerKey, desk: RequestDesk, *, by: str, only_this: bool, although_open: bool) -> PrivacyRequest:
    try:
        return open_erasure(key, by=by, desk=desk, only_this=only_this, although_open=although_open)
    except Rejected as error:
        if error.code != "orders_open":
            raise
        hint = "send or cancel them first, or add --although-open"
        raise Rejected(error.code, error.message, field=error.field, hint=hint) from error


def _confirm(output: Output, question: str, *, yes: bool) -> None:
    """A program must say --yes: what is erased does not come back."""
    if yes:
        return
    if output.as_json:
        raise Rejected("not_confirmed", "this cannot be undone", field="yes", hint="add --yes, or --dry-run to see")
    typer.confirm(question, abort=True, err=True)


@app.command(epilog="Example: storebridge privacy run")
def run(
    ctx: typer.Context,
    request: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
) -> None:
    """Work now on all erasures that can go on, or on one. Ends with 1 if one stopped.

    It may be interrupted, and run beside the schedule: each request is worked on in one place at a time.
    """
    here = connected(ctx)
    chosen = [_required(request)] if request else in_order(privacy_table().unfinished())
    mine = [one for one in chosen if one.may_go_on(utc_now())]
    rows = list(_worked_on(here, mine))
    facts: Json = {"requests": rows, "stopped": sum(row["is_stopped"] for row in rows)}
    here.output.show(facts, ran)
    if facts["stopped"]:
        raise typer.Exit(1)


def _worked_on(here: Session, requests: list[PrivacyRequest]) -> Iterator[Json]:
    desk = privacy_desk()
    holder = f"operator-{uuid.uuid4().hex}"
    with here.output.progress("Erasing …") as progress:
        for request in requests:
            yield _go_on(request, desk, holder, progress)


def _go_on(request: PrivacyRequest, desk: PrivacyDesk, holder: str, progress: Status) -> Json:
    """One's trouble stops no other. Only the code is told: a back office's own words may name a person."""

    def has_time() -> bool:
        _tell(progress, desk.requests.find(request.id) or request)
        return True

    worker = Worker(jobs=job_table(), holder=holder, clock=utc_now, lease=_LEASE, has_time=has_time)
    try:
        left = work_on(request.id, desk, worker) or request
    except (Conflict, Retry, Rejected) as error:
        stood = desk.requests.find(request.id) or request
        return {"id": request.id, "result": error.code, "is_stopped": True, "counts": stood.counts}
    is_stopped = left.state is RequestState.FAILED
    result = left.failed_code if is_stopped else left.state.value
    return {"id": request.id, "result": result, "is_stopped": is_stopped, "counts": left.counts}


def _tell(progress: Status, request: PrivacyRequest) -> None:
    progress.update(f"{request.id} … {request.place.stage.value.replace('_', ' ')}, round {request.round}")


@app.command("verify-proofs", epilog="Example: storebridge privacy verify-proofs")
def verify_proofs(ctx: typer.Context) -> None:
    """Whether every proof is there and unchanged: each holds the digest of the one before. Ends with 1 if not."""
    here = connected(ctx)
    proofs = list(privacy_table().proofs())
    faults = faults_in_chain(proofs, privacy_table().closed())
    here.output.show({"ok": not faults, "proofs": len(proofs), "faults": list(faults)}, verified)
    if faults:
        raise typer.Exit(1)
