"""Which run is due next, and who has it in hand: SAQ's queue, moved in batches.

SAQ keeps one job per run; its key is the run's id. A step's result is when the next step is due,
and the job goes back into the queue for then: SAQ's own backend would end the job. One loop per
process talks to Redis for all its workers, a turn at a time: what they have done goes back, what
is due comes out. The loop also shows that the process lives, and frees what the dead had in hand.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, cast
from uuid import uuid4

import orjson
from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from saq import Job, Status
from saq.queue.redis import RedisQueue
from saq.types import CountKind

from gateway.errors import StoreUnavailable
from gateway.runs import queue_scripts
from gateway.runs.patient_calls import PatientCalls

NAME: Final = "{analysis-gateway}"
"""The queue's. The braces keep all its keys in one slot of a Redis Cluster."""
FUNCTION: Final = "step"
"""What every job does, in SAQ's terms."""
POLL_S: Final = 0.1
"""How often it is looked for runs that have become due."""
SHORTEST_TURN_S: Final = 0.01
"""From turn to turn under load: what comes up meanwhile shares the next one."""
ROLL_CALL_S: Final = 1.5
"""How often a worker shows that it lives, and looks who does not."""
LEASE_S: Final = 7.0
"""After so long a silence a worker is dead, and others take up its runs."""
OUTAGE_S: Final = 3.0
"""So long a silence of all workers is an outage of Redis, and nobody's death."""
RETRY_S: Final = 0.5
"""From a failure of Redis to the next try."""
_IDS_PER_CALL: Final = 1_000
_log: Final = logging.getLogger(__name__)


class Step(Job):
    """The job of one run. In hand, its ``meta`` has the take's ``token`` and its ``due_unix_s``."""

    @property
    def abort_id(self) -> str:
        """SAQ's key for an aborted job, in the slot of the queue's other keys."""
        return f"{self.id}:abort"

    def info(self, full: bool = False) -> str:  # noqa: ARG002, FBT001, FBT002 # SAQ's signature
        """A short text: SAQ asks for it with every log line, those that nobody prints included."""
        return self.key


class RunQueue(RedisQueue):
    """The runs that are under way, each with the time of its next step.

    Nothing that SAQ's workers call waits for Redis or fails, ``dequeue`` excepted, which waits.
    """

    def __init__(self, redis: Redis) -> None:
        """Prepare; nothing is sent. Of ``redis``, up to ``MAX_CALLS`` connections are used."""
        super().__init__(redis, name=NAME, dump=orjson.dumps, load=orjson.loads)
        self.worker_id: Final = uuid4().hex
        """Who takes jobs through this queue."""
        self._calls = PatientCalls(redis)
        self._owners = self.namespace("owners")
        self._woken = self.namespace("woken")
        self._workers = self.namespace("workers")
        self._turn = redis.register_script(queue_scripts.TURN)
        self._roll_call = redis.register_script(queue_scripts.ROLL_CALL)
        self._wake = redis.register_script(queue_scripts.WAKE)
        self._takes = 0
        self._in_hand: set[tuple[str, str]] = set()
        """Id and token of every job that was taken and that Redis has not got back."""
        self._done: list[tuple[str, str, str]] = []
        """Id, token and due time (empty: ended) of every job that is to go back."""
        self._idle: deque[asyncio.Future[Step | None]] = deque()
        """Who waits for a job."""
        self._is_open = True
        self._has_more = False
        self._news = asyncio.Event()
        self._is_lost = False

    async def put(self, run_id: str, *, due_unix_s: float = 0) -> None:
        """Have a run driven from now, or then, on; one that is driven already goes on as it does.

        Raises:
            StoreUnavailable: Redis failed; whether the run is in the queue is not known.

        """
        job = Step(FUNCTION, key=run_id, timeout=0)
        due = max(due_unix_s, time.time())
        await self._calls.call(lambda: self.enqueue(job, scheduled=due))
        self._news.set()

    async def wake(self, run_id: str) -> None:
        """Make a run's next step due now; if a step is under way, one more right after it.

        Raises:
            StoreUnavailable: Redis failed; whether the run is awake is not known.

        """
        keys = [self._incomplete, self._woken, self.job_id(run_id)]
        await self._run(self._wake, keys, [time.time()])
        self._news.set()

    async def missing(self, run_ids: Sequence[str]) -> list[str]:
        """Those of the runs that are not in the queue; StoreUnavailable if Redis failed."""
        starts = range(0, len(run_ids), _IDS_PER_CALL)
        parts = [run_ids[start : start + _IDS_PER_CALL] for start in starts]
        return [run_id for part in parts for run_id in await self._missing_of(part)]

    async def count(self, kind: CountKind) -> int:
        """How many runs are in the queue (``incomplete``), due (``queued``) or ``active``."""
        match kind:
            case "queued":
                return await self.redis.zcount(self._incomplete, "(0", time.time())
            case "active":
                return await self.redis.hlen(self._owners)
            case "incomplete":
                return await self.redis.zcard(self._incomplete)

    async def serve(self) -> None:
        """Keep this process's workers in work until cancelled; outages of Redis are waited out."""
        roll_call_at_s = time.monotonic()
        while True:
            try:
                if time.monotonic() >= roll_call_at_s:
                    await self._answer_roll_call()
                    roll_call_at_s = time.monotonic() + ROLL_CALL_S
                await self._take_turn()
            except Exception as error:  # noqa: BLE001 # without this loop nothing is driven here
                self._lost(error)
                roll_call_at_s = time.monotonic()
                await asyncio.sleep(RETRY_S)
                continue
            self._found()
            await asyncio.sleep(SHORTEST_TURN_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S - SHORTEST_TURN_S):
                    await self._news.wait()

    def close(self) -> None:
        """Take no more jobs; who waits for one gets none."""
        self._is_open = False
        for place in self._idle:
            if not place.done():
                place.set_result(None)

    async def leave(self) -> None:
        """Give back all that is in hand, for others to take at once.

        If Redis is away, they will after ``LEASE_S``.
        """
        try:
            await self._take_turn()
            await self._call_roll("leaving")
        except StoreUnavailable as error:
            self._lost(error)

    async def dequeue(
        self,
        timeout: float = 0.0,  # noqa: ARG002, ASYNC109 # SAQ's signature
        poll_interval: float = 0.0,  # noqa: ARG002 # the same
    ) -> Step | None:
        """The next job, as soon as one is due; None once the queue is closed."""
        if not self._is_open:
            return None
        place: asyncio.Future[Step | None] = asyncio.get_running_loop().create_future()
        self._idle.append(place)
        if self._has_more:
            self._news.set()
        return await place

    async def update(self, job: Job, **changes: Any) -> None:  # noqa: ANN401 # SAQ's signature
        """Change a job in hand. Nothing is written: since the take, Redis knows whose it is."""
        for name, value in changes.items():
            setattr(job, name, value)

    async def _finish(
        self,
        job: Job,
        status: Status,
        *,
        result: Any = None,  # noqa: ANN401 # SAQ's signature
        error: str | None = None,  # noqa: ARG002 # the same
    ) -> None:
        # No failure ends a run: only its driver knows when it has ended.
        self._give_back(job, result if status is Status.COMPLETE else time.time() + RETRY_S)

    async def _retry(self, job: Job, error: str | None) -> None:  # noqa: ARG002 # SAQ's signature
        self._give_back(job, time.time())

    def _give_back(self, job: Job, due_unix_s: float | None) -> None:
        due = "" if due_unix_s is None else str(due_unix_s)
        self._done.append((job.id, job.meta["token"], due))

    async def _take_turn(self) -> None:
        self._news.clear()
        self._idle = deque(place for place in self._idle if not place.done())
        self._takes += 1
        token = f"{self.worker_id}:{self._takes}"
        wanted, done = len(self._idle), self._done[:]
        keys = [self._incomplete, self._owners, self._woken, self._workers]
        words = [word for job in done for word in job]
        args: list[str | float] = [self.worker_id, token, time.time(), wanted, *words]
        taken = await self._run(self._turn, keys, args)
        del self._done[: len(done)]
        self._in_hand.difference_update((job_id, held) for job_id, held, _ in done)
        self._has_more = 0 < wanted == len(taken) // 2
        for job_id, due in zip(taken[::2], taken[1::2], strict=True):
            self._hand_out(job_id.decode(), token, float(due))

    def _hand_out(self, job_id: str, token: str, due_unix_s: float) -> None:
        key, meta = self.job_key_from_id(job_id), {"token": token, "due_unix_s": due_unix_s}
        job = Step(FUNCTION, key=key, queue=self, timeout=0, meta=meta)
        self._in_hand.add((job_id, token))
        while self._idle:
            place = self._idle.popleft()
            if not place.done():
                place.set_result(job)
                return
        # Who wanted it has gone meanwhile.
        self._give_back(job, due_unix_s)

    async def _answer_roll_call(self) -> None:
        words = [word.decode() for word in await self._call_roll("present")]
        in_redis = set(zip(words[::2], words[1::2], strict=True))
        # They were taken by a turn whose answer got lost; no turn is under way now.
        now = str(time.time())
        self._done.extend((job_id, token, now) for job_id, token in in_redis - self._in_hand)

    async def _call_roll(self, presence: str) -> Sequence[bytes]:
        keys = [self._incomplete, self._owners, self._workers]
        args: list[str | float] = [self.worker_id, presence, time.time(), LEASE_S, OUTAGE_S]
        return await self._run(self._roll_call, keys, args)

    async def _missing_of(self, run_ids: Sequence[str]) -> list[str]:
        ids = [self.job_id(run_id) for run_id in run_ids]
        dues = await self._calls.call(lambda: self.redis.zmscore(self._incomplete, ids))
        return [run_id for run_id, due in zip(run_ids, dues, strict=True) if due is None]

    async def _run(
        self, script: AsyncScript, keys: Sequence[str], args: Sequence[str | float]
    ) -> Sequence[bytes]:
        # Each of the scripts answers a flat list, or nothing.
        return cast("Sequence[bytes]", await self._calls.call(lambda: script(keys=keys, args=args)))

    def _lost(self, error: Exception) -> None:
        if not self._is_lost:
            # Other errors' texts may quote what they did not expect.
            is_ours = isinstance(error, StoreUnavailable)
            reason = str(error) if is_ours else type(error).__name__
            _log.warning("runs wait for Redis", extra={"reason": reason})
        self._is_lost = True

    def _found(self) -> None:
        if self._is_lost:
            _log.warning("runs go on")
        self._is_lost = False
