"""Runs in Redis: what was saved is there for every replica, and after a restart.

Each change is one step for Redis (``gateway/runs/scripts.py``), and may be repeated when its answer
was lost: nothing is recorded twice. Names of keys stand in ``gateway/runs/keys.py``.
"""

import re
from collections.abc import Sequence
from typing import Final

import orjson
from redis.asyncio import Redis

from gateway.errors import (
    IdempotencyKeyReused,
    RequestInvalid,
    RunNotFound,
    RunUnderWay,
    TooManyRuns,
)
from gateway.run_events import Event
from gateway.run_status import RunStatus
from gateway.runs import keys, scripts
from gateway.runs.listing import RUN_FIELDS, Filter, Listing, Page, Sees, read_run
from gateway.runs.packing import pack, unpack
from gateway.runs.patient_calls import CALL_BUDGET_S, MAX_CALLS, PatientCalls
from gateway.runs.records import (
    STATE_FIELDS,
    Created,
    Idempotency,
    Manifest,
    NewRun,
    Run,
    RunOfNewer,
    RunState,
    RunUnreadable,
    Saved,
    StaleRun,
    Terminated,
    created_ms,
    named_templates,
    read_manifest,
    read_state,
    read_version,
    ttl_strategy,
    understood,
    write_facts,
    write_status,
)
from gateway.runs.retention import REMEMBER_KEY_S, Retention
from gateway.runs.schema import OURS
from gateway.schedule import expires_at
from gateway.settings import Runs as RunSettings

__all__ = [
    "CALL_BUDGET_S",
    "MAX_CALLS",
    "Created",
    "Filter",
    "Idempotency",
    "NewRun",
    "Page",
    "Run",
    "RunOfNewer",
    "RunState",
    "RunStore",
    "RunUnreadable",
    "Saved",
    "Sees",
    "StaleRun",
    "Terminated",
    "named_templates",
    "no_such_run",
    "understood",
]

_EVENT_ID: Final = re.compile(r"([0-9]{1,15})-([0-9]{1,15})")


class RunStore:
    """The only way to the runs in Redis. Every call may raise StoreUnavailable."""

    def __init__(self, redis: Redis, settings: RunSettings) -> None:
        self._settings = settings
        self._calls = PatientCalls(redis)
        self._retention = Retention(self._calls, settings)
        self._listing = Listing(self._calls)
        self._find = redis.register_script(scripts.FIND)
        self._create = redis.register_script(scripts.CREATE)
        self._save = redis.register_script(scripts.SAVE)
        self._terminate = redis.register_script(scripts.TERMINATE)
        self._delete = redis.register_script(scripts.DELETE)
        self._read_events = redis.register_script(scripts.READ_EVENTS)

    async def find(self, once: Idempotency, now_unix_s: float) -> Created | None:
        """The run that an idempotency key made within 24 hours, None if it is new.

        Raises:
            IdempotencyKeyReused: the key came with another request.
            RunNotFound: the run that the key made is gone.

        """
        arguments: list[str | bytes | float] = [
            once.key_digest,
            once.request_digest,
            now_unix_s,
            REMEMBER_KEY_S,
        ]
        outcome, found = await self._calls.run(self._find, [keys.IDEMPOTENCY], arguments)
        if outcome == b"unknown":
            return None
        return self._created(outcome, found.decode(), is_new=False)

    async def create(self, new: NewRun, once: Idempotency | None) -> Created:
        """Keep a new run, or find the one that the same idempotency key made within 24 hours.

        Raises:
            IdempotencyKeyReused: the key came with another request.
            RunNotFound: the run that the key made is gone.
            TooManyRuns: as many as there may be are under way.

        """
        arguments: list[str | bytes | float] = [
            new.id,
            orjson.dumps(new.manifest),
            write_status(RunStatus()),
            new.created_at_unix_s,
            created_ms(new.created_at_unix_s),
            write_facts(new.manifest),
            int(new.is_terminated),
            self._settings.max_live,
            "" if once is None else once.key_digest,
            "" if once is None else once.request_digest,
            REMEMBER_KEY_S,
            str(OURS),
        ]
        outcome, found = await self._calls.run(self._create, [keys.RUN + new.id], arguments)
        return self._created(outcome, found.decode(), is_new=found.decode() == new.id)

    def _created(self, outcome: bytes, run_id: str, *, is_new: bool) -> Created:
        match outcome:
            case b"made":
                return Created(run_id, is_new=is_new)
            case b"reused":
                raise IdempotencyKeyReused(
                    "Idempotency-Key: was used for another request, which made run"
                    f" {run_id}; take a new key"
                )
            case b"deleted":
                raise RunNotFound(
                    f"run {run_id}, which this Idempotency-Key made, has been deleted;"
                    " take a new key for a new run"
                )
            case _:
                raise TooManyRuns(
                    f"{self._settings.max_live} runs are under way (runs.maxLive);"
                    " wait until some have ended"
                )

    async def load(self, run_id: str) -> Run:
        """A run. Raises RunNotFound, RunUnreadable, RunOfNewer."""
        fields = await self._calls.fields(keys.RUN + run_id, RUN_FIELDS)
        run = read_run(run_id, fields)
        if run is None:
            raise no_such_run(run_id)
        return run

    async def manifest(self, run_id: str) -> Manifest:
        """The manifest of a run. Raises RunNotFound, RunUnreadable."""
        (text,) = await self._calls.fields(keys.RUN + run_id, ["manifest"])
        if text is None:
            raise no_such_run(run_id)
        return read_manifest(run_id, text)

    async def state(self, run_id: str) -> RunState | None:
        """How a run stands, None if it is gone. Raises RunUnreadable, RunOfNewer."""
        fields = await self._calls.fields(keys.RUN + run_id, STATE_FIELDS)
        return read_state(run_id, fields)

    async def save(
        self, run_id: str, *, version: int, status: RunStatus, events: Sequence[Event]
    ) -> Saved:
        """Keep a status, and what happened, if the run is still at this version.

        A call whose answer was lost may be repeated: it is known by its status.

        Raises:
            StaleRun: somebody else has saved the run, or it has ended.
            RunNotFound: it is gone.

        """
        ended_at, expires = await self._ending(run_id, status)
        arguments: list[str | bytes | float] = [
            run_id,
            version,
            write_status(status),
            status.phase.value,
            self._settings.keep_events,
            ended_at,
            expires,
            str(OURS),
        ]
        arguments += [
            f"{version + 1}-{number} ".encode() + pack(event)
            for number, event in enumerate(events, start=1)
        ]
        match await self._calls.run(
            self._save, [keys.RUN + run_id, keys.EVENTS + run_id], arguments
        ):
            case b"stale":
                raise StaleRun(f"run {run_id} is not at version {version} any more")
            case b"gone":
                raise no_such_run(run_id)
            case outcome:
                return Saved(is_terminated=outcome == b"terminate")

    async def _ending(self, run_id: str, status: RunStatus) -> tuple[str, str]:
        """When a run has ended, and when it may go; empty for not yet, and for never."""
        if not status.phase.is_completed:
            return "", ""
        if status.completed_at_unix_s is None:
            raise ValueError("a run that is completed has a time of its end")
        ttl = ttl_strategy(run_id, await self.manifest(run_id))
        expires_at_unix_s = expires_at(ttl, status)
        expires = "" if expires_at_unix_s is None else repr(expires_at_unix_s)
        return repr(status.completed_at_unix_s), expires

    async def terminate(self, run_id: str) -> Terminated:
        """Want a run to end. Raises RunNotFound."""
        outcome = await self._calls.run(self._terminate, [keys.RUN + run_id], [run_id])
        if outcome == b"gone":
            raise no_such_run(run_id)
        return Terminated(outcome.decode())

    async def delete(self, run_id: str, now_unix_s: float) -> None:
        """Drop a run that has ended, or that nobody can drive.

        Raises:
            RunNotFound: there is none of this id.
            RunUnderWay: it has not ended.
            RunOfNewer: newer replicas may be driving it, if there are any.

        """
        outcome = await self._calls.run(self._delete, [keys.RUN + run_id], [run_id, 0])
        if outcome == b"under way":
            try:
                await self.load(run_id)
            except RunUnreadable as error:
                if isinstance(error, RunOfNewer) and not await self._is_too_old(run_id, now_unix_s):
                    raise
                # Nobody can drive it: it would be under way for ever.
                outcome = await self._calls.run(self._delete, [keys.RUN + run_id], [run_id, 1])
            else:
                raise RunUnderWay(f"run {run_id} has not ended; terminate it, or wait for its end")
        if outcome == b"gone":
            raise no_such_run(run_id)

    async def _is_too_old(self, run_id: str, now_unix_s: float) -> bool:
        """Whether whoever can drive the run would have ended it by now."""
        (created,) = await self._calls.fields(keys.RUN + run_id, ["created"])
        try:
            return now_unix_s - float(created or b"") > self._settings.max_duration_s
        except ValueError:
            return False

    async def list(self, wanted: Filter, *, limit: int, cursor: str | None) -> Page:
        """Up to ``limit`` runs, newest first. Raises RequestInvalid for a wrong cursor."""
        return await self._listing.page(wanted, limit=limit, cursor=cursor)

    async def events(
        self, run_id: str, after: str | None
    ) -> tuple[tuple[tuple[str, Event], ...], bool]:
        """What happened to a run after an event, oldest first.

        Args:
            run_id: the run.
            after: the id of an event; None for all.

        Returns:
            The events with their ids, and whether there were more that are not kept any longer.

        Raises:
            RequestInvalid: ``after`` is no event's id.
            RunNotFound: there is none of this id.
            RunUnreadable: what is kept are no events.

        """
        known = (0, 0) if after is None else _place(after)
        names = [keys.RUN + run_id, keys.EVENTS + run_id]
        answer = await self._calls.run(self._read_events, names, known)
        if answer is None:
            raise no_such_run(run_id)
        dropped, later = answer
        try:
            events = tuple(_read_event(each) for each in reversed(later))
        except ValueError as error:
            raise RunUnreadable(run_id, str(error)) from None
        return events, known < _place(dropped.decode())

    async def versions(self, run_ids: Sequence[str]) -> dict[str, int | None]:
        """The version of each run, None for those that are gone or cannot be read."""
        if not run_ids:
            return {}
        found = await self._calls.fields(keys.VERSIONS, run_ids)
        return dict(zip(run_ids, map(read_version, found), strict=True))

    async def live_ids(self) -> tuple[str, ...]:
        """All runs that have not ended."""
        return await self._retention.live_ids()

    async def collect_garbage(self, now_unix_s: float) -> int:
        """Drop the runs whose time is over, and those that are too many; how many that were."""
        return await self._retention.collect_garbage(now_unix_s)


def no_such_run(run_id: str) -> RunNotFound:
    """What is said of a run that is not there, or not for the eyes of who asks."""
    return RunNotFound(f"there is no run {run_id}; it may have been deleted")


def _read_event(entry: bytes) -> tuple[str, Event]:
    event_id, _, packed = entry.partition(b" ")
    return event_id.decode(), unpack(packed)


def _place(event_id: str) -> tuple[int, int]:
    match = _EVENT_ID.fullmatch(event_id)
    if match is None:
        raise RequestInvalid("Last-Event-ID: is not the id of an event of a run")
    return int(match[1]), int(match[2])
