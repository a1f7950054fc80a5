"""Lists of runs, newest first, a page at a time.

A page begins where a cursor says, which is a place in the index and not a number of runs to pass
over: whatever comes and goes between two pages, no run is listed twice and none that stays is left
out. Runs are looked at in portions, so that neither Redis nor this process stalls.
"""

import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, cast

import orjson

from gateway.errors import RequestInvalid
from gateway.model import Phase
from gateway.runs import keys
from gateway.runs.patient_calls import PatientCalls
from gateway.runs.records import (
    STATE_FIELDS,
    Run,
    RunUnreadable,
    created_ms,
    read_manifest,
    read_state,
)

PORTION: Final = 1_000
"""Runs whose facts are looked at in one turn."""
MOST_LOOKED_AT: Final = 50_000
"""Runs that are looked at for one page."""
MOST_BYTES: Final = 4 << 20
"""How long the documents of a page may be together before it ends; it has one run at least."""
_LOADED_AT_ONCE: Final = 20
_CURSOR: Final = re.compile(r"[0-9]{13}:\S{1,64}")
_log: Final = logging.getLogger(__name__)


class Sees(Protocol):
    """Which runs somebody may see."""

    def __call__(self, namespace: str, named: Sequence[str] | None, /) -> bool:
        """Whether a run of this namespace, of templates of these names, is one of them.

        In place of the names is None if a request brought any of what the run measures.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which runs are wanted: those of which all this is true. None is true of every run."""

    namespace: str | None = None
    template: str | None = None
    """The name of one of its templates."""
    phase: Phase | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that it must have, with these values."""
    created_after_unix_s: float | None = None
    """It was created then or later, to the millisecond."""
    created_before_unix_s: float | None = None
    """It was created before then, to the millisecond."""
    sees: Sees | None = None
    """It is for the eyes of who asks."""

    @property
    def asks_for_facts(self) -> bool:
        """Whether the runs' facts matter."""
        return bool(
            self.namespace is not None or self.template is not None or self.labels or self.sees
        )

    def takes(self, facts: bytes | None) -> bool:
        """Whether a run with these facts is wanted; None are those of one that is gone."""
        if facts is None:
            return False
        try:
            namespace, templates, labels, *more = orjson.loads(facts.partition(b" ")[2])
        except ValueError:
            return False
        # Older versions did not say what was named: then it counts as brought.
        named = more[0] if more else None
        return (
            (self.sees is None or self.sees(namespace, named))
            and (self.namespace is None or namespace == self.namespace)
            and (self.template is None or self.template in templates)
            and self.labels.items() <= labels.items()
        )


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list."""

    runs: tuple[Run, ...]
    """Newest first; fewer than asked for, even none, where much was looked at in vain."""
    cursor: str | None
    """Where the next page begins; None if there is none."""


class Listing:
    """Reads lists of runs."""

    def __init__(self, calls: PatientCalls) -> None:
        self._calls = calls
        self._redis = calls.redis

    async def page(self, wanted: Filter, *, limit: int, cursor: str | None) -> Page:
        """Up to ``limit`` runs. Raises RequestInvalid for a cursor that is none."""
        if cursor is not None and not _CURSOR.fullmatch(cursor):
            raise RequestInvalid("continue: is not one that a list of runs gave")
        places: list[str] = []
        looked_at, last, has_more = 0, "", False
        async for portion, taken in self._portions(wanted, limit=limit, cursor=cursor):
            looked_at, last = looked_at + len(portion), portion[-1]
            places += taken
            has_more = len(places) > limit
            if has_more or looked_at >= MOST_LOOKED_AT:
                last = places[limit - 1] if has_more else last
                has_more = True
                break
        wanted_places = places[:limit]
        runs, loaded = await self._load([each.partition(":")[2] for each in wanted_places])
        if loaded < len(wanted_places):
            last, has_more = wanted_places[loaded - 1], True
        # A run may have gone on since it was selected.
        fitting = (run for run in runs if wanted.phase in {None, run.status.phase})
        return Page(tuple(fitting), last if has_more else None)

    async def _portions(
        self, wanted: Filter, *, limit: int, cursor: str | None
    ) -> AsyncIterator[tuple[list[str], list[str]]]:
        """Places in the index, a portion at a time, and those of them that are wanted."""
        before = wanted.created_before_unix_s
        tops = [cursor, None if before is None else created_ms(before)]
        top = min((f"({each}" for each in tops if each is not None), default="+")
        after = wanted.created_after_unix_s
        bottom = "-" if after is None else f"[{created_ms(after)}"
        selects = wanted.asks_for_facts or wanted.phase is not None
        size = PORTION if selects else min(limit + 1, PORTION)
        while True:
            portion = await self._places(top, bottom, size)
            if portion:
                yield portion, await self._taken(wanted, portion)
            if len(portion) < size:
                return
            top = f"({portion[-1]}"

    async def _places(self, top: str, bottom: str, size: int) -> list[str]:
        found = await self._calls.call(
            lambda: self._redis.zrevrangebylex(keys.INDEX, top, bottom, 0, size)
        )
        return [place.decode() for place in cast("list[bytes]", found)]

    async def _taken(self, wanted: Filter, places: Sequence[str]) -> list[str]:
        taken = list(places)
        if wanted.asks_for_facts:
            facts = await self._of_each(keys.FACTS, taken)
            pairs = zip(taken, facts, strict=True)
            taken = [place for place, its in pairs if wanted.takes(its)]
        if wanted.phase is not None and taken:
            end = f" {wanted.phase}".encode()
            versions = await self._of_each(keys.VERSIONS, taken)
            pairs = zip(taken, versions, strict=True)
            taken = [place for place, its in pairs if its is not None and its.endswith(end)]
        return taken

    async def _of_each(self, name: str, places: Sequence[str]) -> list[bytes | None]:
        ids = [place.partition(":")[2] for place in places]
        return await self._calls.fields(name, ids)

    async def _load(self, run_ids: Sequence[str]) -> tuple[list[Run], int]:
        """The first of these runs, until they are ``MOST_BYTES``, and how many were looked at."""
        runs: list[Run] = []
        loaded = n_bytes = 0
        while loaded < len(run_ids) and n_bytes < MOST_BYTES:
            some = run_ids[loaded : loaded + _LOADED_AT_ONCE]
            answers = await self._calls.call(partial(self._fields, some))
            loaded += len(some)
            n_bytes += sum(len(text or b"") for fields in answers for text in fields)
            for run_id, fields in zip(some, answers, strict=True):
                try:
                    run = read_run(run_id, fields)
                except RunUnreadable as error:
                    _log.warning("a run is left out of a list", extra={"reason": str(error)})
                    continue
                if run is not None:
                    runs.append(run)
        return runs, loaded

    async def _fields(self, run_ids: Sequence[str]) -> list[list[bytes | None]]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for run_id in run_ids:
                pipeline.hmget(keys.RUN + run_id, RUN_FIELDS)
            return await pipeline.execute()


RUN_FIELDS: Final = [*STATE_FIELDS, "manifest"]
"""What ``read_run`` wants of a run's hash, in its order."""


def read_run(run_id: str, fields: Sequence[bytes | None]) -> Run | None:
    """A run whose ``RUN_FIELDS`` these are; None if there is no such run.

    Raises:
        RunUnreadable: these are no fields of a run.

    """
    *of_state, manifest = fields
    state = read_state(run_id, of_state)
    if state is None:
        return None
    return Run(
        id=run_id,
        manifest=read_manifest(run_id, manifest or b""),
        status=state.status,
        version=state.version,
        is_terminated=state.is_terminated,
        created_at_unix_s=state.created_at_unix_s,
        schema=state.schema,
    )
