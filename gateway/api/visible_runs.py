"""The runs that a caller may see; of all others nobody says whether they are there."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gateway.access.caller import Caller
from gateway.access.needs import sees_run
from gateway.access.policy import EVERYWHERE, Action, Wanted
from gateway.access.rights import Rights
from gateway.errors import AccessDenied
from gateway.runs.store import Run, RunOfNewer, RunUnreadable, Sees, named_templates, no_such_run


class LoadsRuns(Protocol):
    """Where runs are."""

    async def load(self, run_id: str) -> Run:
        """A run. Raises RunNotFound, RunUnreadable, StoreUnavailable."""

    async def manifest(self, run_id: str) -> Mapping[str, object]:
        """The manifest of a run. Raises RunNotFound, RunUnreadable, StoreUnavailable."""


class VisibleRuns:
    """Stands between callers and runs."""

    def __init__(self, store: LoadsRuns, rights: Rights) -> None:
        self._store = store
        self._rights = rights

    async def load(self, caller: Caller, run_id: str) -> Run:
        """A run.

        Raises:
            RunNotFound: there is none of this id, or it is none of this caller's business.
            RunUnreadable: nobody knows what is kept; for admins of everything only.
            RunOfNewer: a newer replica knows.
            StoreUnavailable: nothing is known now.

        """
        try:
            run = await self._store.load(run_id)
        except RunOfNewer:
            # Who waits for a run during an update must not be told that there is none.
            await self._check_unread(caller, run_id)
            raise
        except RunUnreadable:
            if self._is_admin_everywhere(caller):
                raise
            raise no_such_run(run_id) from None
        self._check(caller, run_id, run.manifest)
        return run

    async def _check_unread(self, caller: Caller, run_id: str) -> None:
        try:
            manifest = await self._store.manifest(run_id)
        except RunUnreadable:
            if not self._is_admin_everywhere(caller):
                raise no_such_run(run_id) from None
        else:
            self._check(caller, run_id, manifest)

    def _check(self, caller: Caller, run_id: str, manifest: Mapping[str, object]) -> None:
        namespace, named = named_templates(manifest)
        if not sees_run(self._rights, caller, namespace, named):
            raise no_such_run(run_id)

    def check_namespace(self, caller: Caller, namespace: str) -> None:
        """Raises AccessDenied if there can be no run in it that the caller may see."""
        wanted = Wanted(Action.RUN, namespace)
        lacking = self._rights.refusal(caller, wanted)
        if lacking and not self._rights.may(caller, Wanted(Action.ADMIN, namespace)):
            raise AccessDenied(lacking)

    def of(self, caller: Caller) -> Sees | None:
        """What tells the runs that a caller may see by namespace and templates; None for all."""
        if self._is_admin_everywhere(caller):
            return None

        def sees(namespace: str, named: Sequence[str] | None) -> bool:
            return sees_run(self._rights, caller, namespace, named)

        return sees

    def _is_admin_everywhere(self, caller: Caller) -> bool:
        return self._rights.may(caller, Wanted(Action.ADMIN, EVERYWHERE))
