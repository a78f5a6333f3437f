"""Letters to buyers, kept in memory; fails as often as it is told to."""

from shared.kernel.errors import Rejected, Retry
from shared.sync.tell_buyer import Letter


class FakeMailer:
    def __init__(self, *failures: Retry | Rejected | None) -> None:
        self.sent: list[Letter] = []
        self.failures = list(failures)
        """One for each letter to come; None takes it."""

    def send(self, letter: Letter) -> None:
        failure = self.failures.pop(0) if self.failures else None
        if failure:
            raise failure
        self.sent.append(letter)
