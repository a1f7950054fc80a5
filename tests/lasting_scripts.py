"""A measurement that lasts, and stands as a test says; and who looks at it without sleeping."""

from dataclasses import dataclass, field, replace

from job_api import Clock, world_with

from gateway.lasting import Lasting
from gateway.model import Phase
from gateway.provider import Attempt, Context, Progress

NOW = 1_000.0
ATTEMPT = Attempt(
    owner="u-1", analysis="r", namespace="shop", metric="m", number=1, began_at_unix_s=NOW
)
FOUND = replace(ATTEMPT, metadata={"id": "7"}, began_at_unix_s=NOW - 30)
SUCCESS = Progress(phase=Phase.SUCCESSFUL, text="fine", metadata={"id": "7", "log": "ok"})


def running(resume_at: float | None = NOW, message: str = "", **metadata: str) -> Progress:
    """One that has not ended."""
    return Progress(
        phase=Phase.RUNNING,
        message=message,
        metadata=metadata or {"id": "7"},
        resume_at_unix_s=resume_at,
    )


@dataclass
class Scripted:
    """A provider that stands as it is told to, look after look."""

    looks: list[Progress | Exception] = field(default_factory=list)
    faults: dict[str, Exception] = field(default_factory=dict)
    advanced: list[Attempt] = field(default_factory=list)
    terminated: list[Attempt] = field(default_factory=list)
    collected: list[tuple[Attempt, int]] = field(default_factory=list)

    async def advance(self, _context: Context, attempt: Attempt) -> Progress:
        """The next look."""
        self.advanced.append(attempt)
        look = self.looks.pop(0)
        if isinstance(look, BaseException):
            raise look
        return look

    async def terminate(self, _context: Context, attempt: Attempt) -> None:
        """Nothing, or a fault."""
        self.terminated.append(attempt)
        if "terminate" in self.faults:
            raise self.faults["terminate"]

    async def collect(self, _context: Context, attempt: Attempt, *, keep: int) -> None:
        """Nothing, or a fault."""
        self.collected.append((attempt, keep))
        if "collect" in self.faults:
            raise self.faults["collect"]

    def longest_s(self) -> float:
        """A minute."""
        return 60.0

    def resolved_query(self) -> str:
        """None."""
        return ""


@dataclass
class World:
    """What follows a scripted provider, and how long it slept."""

    clock: Clock = field(default_factory=lambda: Clock(NOW))
    slept: list[float] = field(default_factory=list)

    def lasting(self) -> Lasting:
        """Sleeps in no time."""
        return Lasting(world_with(None, self.clock), sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.now_unix_s += seconds
