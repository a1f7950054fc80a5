"""Which runs are under way, and which of the others go: by age, by number, by their own wish."""

from typing import Final

from gateway.config.settings import Runs as RunSettings
from gateway.runs import keys, scripts
from gateway.runs.patient_calls import PatientCalls

REMEMBER_KEY_S: Final = 86_400
"""How long an idempotency key leads to the run that it made."""
IDS_AT_ONCE: Final = 500
REMOVED_AT_ONCE: Final = 100


class Retention:
    """Walks through the runs, in portions that do not stall Redis."""

    def __init__(self, calls: PatientCalls, settings: RunSettings) -> None:
        self._calls = calls
        self._settings = settings
        self._live_ids = calls.redis.register_script(scripts.LIVE_IDS)
        self._collect = calls.redis.register_script(scripts.COLLECT)

    async def live_ids(self) -> tuple[str, ...]:
        """All runs that have not ended."""
        live: list[str] = []
        begin = "-"
        while True:
            last, ids = await self._calls.run(self._live_ids, [keys.LIVE], [begin, IDS_AT_ONCE])
            live += [run_id.decode() for run_id in ids]
            if not last:
                return tuple(live)
            begin = f"({last.decode()}"

    async def collect_garbage(self, now_unix_s: float) -> int:
        """Drop what is not to be kept any longer; how many runs that were."""
        settings = self._settings
        arguments = [
            now_unix_s,
            now_unix_s - settings.keep_successful_for_s,
            now_unix_s - settings.keep_unsuccessful_for_s,
            settings.keep_successful,
            settings.keep_unsuccessful,
            now_unix_s - REMEMBER_KEY_S,
            REMOVED_AT_ONCE,
        ]
        total = 0
        while True:
            runs, used_keys = await self._calls.run(self._collect, [keys.LIVE], arguments)
            total += int(runs)
            if max(runs, used_keys) < REMOVED_AT_ONCE:
                return total
