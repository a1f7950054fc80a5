"""Entry points to provider types: only those that the deployer has listed, and never for long.

A plugin that is not there, or cannot be imported, does not keep the gateway from starting: who asks
for it hears why.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from gateway.errors import ProviderInvalid
from gateway.provider import ProviderType
from providers._plugins.guard import Guard
from providers._plugins.values import expected, text
from providers._plugins.watch import Watch

GROUP: Final = "analysis_gateway.providers"
"""Of the entry points; each is named as templates name the plugin, ``<namespace>/<name>``."""
THREADS: Final = 8
"""Of one plugin."""
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plugins:
    """The plugins of a deployment."""

    kinds: Mapping[str, ProviderType | ProviderInvalid] = field(default_factory=dict)
    """By name, or why there is none."""
    measurement_timeout_s: float = 60.0
    """How long what a plugin awaits may take."""
    watch: Watch = field(default_factory=Watch)
    executors: dict[str, Executor] = field(default_factory=dict)
    """By plugin, as far as they are in use."""

    def guard(self, plugin: str) -> Guard:
        """What runs the code of one plugin."""
        return Guard(plugin, self.watch, measurement_timeout_s=self.measurement_timeout_s)

    def threads(self, plugin: str) -> Executor:
        """The threads of one plugin: those of others do not hang with them."""
        return self.executors.setdefault(
            plugin, ThreadPoolExecutor(THREADS, thread_name_prefix=f"plugin {plugin}")
        )

    def details(self) -> Mapping[str, object]:
        """How each plugin is; JSON-ready."""
        return {
            name: str(kind) if isinstance(kind, ProviderInvalid) else "loaded"
            for name, kind in self.kinds.items()
        }

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Have who blocks the event loop of this thread told meanwhile; end all threads then."""
        try:
            with self.watch.watching() if self.kinds else nullcontext():
                yield
        finally:
            for each in self.executors.values():
                each.shutdown(wait=False, cancel_futures=True)


def load(names: Iterable[str], *, measurement_timeout_s: float, import_timeout_s: float) -> Plugins:
    """Import plugins, each in a thread: an import that hangs is left behind.

    Args:
        names: those that the deployer has listed.
        measurement_timeout_s: how long a measurement may take.
        import_timeout_s: how long all imports together may take.

    """
    wanted = tuple(dict.fromkeys(names))
    entries = list(entry_points(group=GROUP)) if wanted else []
    imports = {
        name: _Import(name, [each for each in entries if each.name == name], import_timeout_s)
        for name in wanted
    }
    deadline_s = time.monotonic() + import_timeout_s
    kinds = {name: each.outcome(deadline_s - time.monotonic()) for name, each in imports.items()}
    for name, kind in kinds.items():
        if isinstance(kind, ProviderInvalid):
            _log.error("a plugin cannot be used", extra={"plugin": name, "reason": str(kind)})
        else:
            _log.info("plugin loaded", extra={"plugin": name})
    return Plugins(kinds, measurement_timeout_s)


class _Import:
    """One plugin, being imported."""

    def __init__(self, plugin: str, entries: Sequence[EntryPoint], timeout_s: float) -> None:
        self._entries = entries
        # No loop waits for these threads: nobody has to be told that they take their time.
        self._guard = Guard(plugin, Watch(), measurement_timeout_s=timeout_s)
        late = self._guard.named(f"its import has not ended within {timeout_s:g}s")
        self._kind: ProviderType | ProviderInvalid = ProviderInvalid(late)
        # Whoever exits does not wait for one that hangs.
        self._thread = threading.Thread(target=self._run, name=f"import {plugin}", daemon=True)
        self._thread.start()

    def outcome(self, within_s: float) -> ProviderType | ProviderInvalid:
        """The type, or why there is none."""
        self._thread.join(max(0.0, within_s))
        return self._kind

    def _run(self) -> None:
        try:
            self._kind = self._guard.call(self._imported)
        except ProviderInvalid as error:
            self._kind = error

    def _imported(self) -> ProviderType:
        match self._entries:
            case []:
                raise ProviderInvalid(f"no distribution that is installed has it in {GROUP}")
            case [entry]:
                value = entry.load()
            case entries:
                owners = ", ".join(sorted(each.dist.name for each in entries if each.dist))
                raise ProviderInvalid(f"more than one distribution has it: {owners}")
        if callable(value) and not isinstance(value, ProviderType):
            value = value()
        kind: ProviderType = expected(ProviderType, value, entry.value)
        text(kind.query_metadata, "ProviderType.query_metadata")
        return kind
