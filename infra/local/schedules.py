"""EventBridge Scheduler, fired by name: no clock runs here, so that nothing happens that nobody asked for."""

import json
import uuid

from infra.local.intrinsics import ACCOUNT, REGION
from infra.local.lambdas import Lambdas, SendToQueue
from infra.local.template import Schedule
from shared.kernel.clock import Clock


class Schedules:
    def __init__(self, schedules: tuple[Schedule, ...], lambdas: Lambdas, *, send: SendToQueue, clock: Clock) -> None:
        self._schedules = {schedule.name: schedule for schedule in schedules}
        self._lambdas = lambdas
        self._send = send
        self._clock = clock

    @property
    def names(self) -> list[str]:
        return sorted(self._schedules)

    def fire(self, name: str) -> str:
        """Send the schedule's event to its function, asynchronously, and return the request's id.

        Raises:
            KeyError: there is no such schedule.
        """
        schedule = self._schedules[name]
        request_id = str(uuid.uuid4())
        self._lambdas.invoke_later(
            schedule.function,
            (schedule.payload or json.dumps(self._event(schedule, request_id))).encode(),
            request_id=request_id,
            send=self._send,
            clock=self._clock,
        )
        return request_id

    def _event(self, schedule: Schedule, event_id: str) -> dict[str, object]:
        """What the scheduler sends when the schedule has no input of its own."""
        return {
            "version": "0",
            "id": event_id,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": ACCOUNT,
            "time": f"{self._clock():%Y-%m-%dT%H:%M:%SZ}",
            "region": REGION,
            "resources": [f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{schedule.name}"],
            "detail": "{}",
        }
