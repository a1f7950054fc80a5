"""A plugin's type and its providers behind a guard: they look like any other to the gateway."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from gateway.errors import (
    ProviderError,
    ProviderInvalid,
    ProviderUnreachable,
    ProviderUnreadable,
)
from gateway.model import Reading
from gateway.provider import (
    Attempt,
    Block,
    Context,
    Credential,
    ExplainsNoData,
    FoundSecret,
    HasCredential,
    LastingProvider,
    Progress,
    Provider,
    ProviderType,
    SecretUse,
    Surroundings,
)
from gateway.secrets import Redaction, Secret
from providers._plugins import results
from providers._plugins.guard import Guard
from providers._plugins.values import LONGEST_S, expected, message, number, text

_LAST_LOOK_S: Final = 5.0
"""Beside the time that the plugin takes for it."""


def guarded(kind: ProviderType | ProviderInvalid, guard: Guard, threads: Executor) -> ProviderType:
    """A plugin's type, or one whose every measurement is the error."""
    if isinstance(kind, ProviderInvalid):
        return _broken(str(kind))
    parts = _Type(kind, guard, threads)
    return ProviderType(
        check=parts.check,
        parse=parts.parse,
        query_metadata=kind.query_metadata,
        credentials=parts.credentials,
        rules=None if kind.rules is None else partial(parts.rules, kind.rules),
    )


def _broken(why: str) -> ProviderType:
    def parse(block: Block, surroundings: Surroundings) -> Provider:  # noqa: ARG001 - the port's shape
        raise ProviderInvalid(why)

    return ProviderType(check=lambda _: [], parse=parse)


@dataclass(frozen=True, slots=True)
class _Type:
    """The functions of one type. Blocks are handed over as copies: a plugin may change its own."""

    kind: ProviderType
    guard: Guard
    threads: Executor

    def check(self, block: Block) -> list[tuple[str, str]]:
        try:
            return self.guard.call(partial(self._problems, block))
        except ProviderInvalid:
            # The template is not to blame: ``parse`` tells it as the plugin's error.
            return []

    def parse(self, block: Block, surroundings: Surroundings) -> Provider | LastingProvider:
        try:
            return self.guard.call(partial(self._provider, block, surroundings))
        except ProviderInvalid as error:
            # Without a provider nobody else knows of these secrets.
            redaction = Redaction(_secrets(surroundings))
            raise ProviderInvalid(redaction.text(str(error))) from None

    def credentials(self, block: Block, environ: Mapping[str, str]) -> SecretUse | None:
        def use() -> SecretUse | None:
            return results.secret_use(self.kind.credentials(deepcopy(block), environ))

        return self.guard.call(use)

    def rules(self, own: Callable[[Block], object], block: Block) -> None:
        self.guard.call(partial(own, deepcopy(block)))

    def _problems(self, block: Block) -> list[tuple[str, str]]:
        return results.problems(self.kind.check(deepcopy(block)))

    def _provider(self, block: Block, surroundings: Surroundings) -> Provider | LastingProvider:
        self._problems(block)
        made = self.kind.parse(deepcopy(block), surroundings)
        if not isinstance(made, LastingProvider) and not callable(getattr(made, "measure", None)):
            raise ProviderUnreadable(f"parse must return a provider, not {type(made).__name__}")
        query = text(made.resolved_query(), "what resolved_query returns")
        credential = _credential(made, surroundings)
        common = (self.guard, self.threads, query, self.kind.query_metadata, credential)
        if not isinstance(made, LastingProvider):
            return GuardedProvider(*common, made)
        longest_s = number(made.longest_s(), "what longest_s returns")
        return GuardedLasting(*common, made, min(longest_s, LONGEST_S))


@dataclass(frozen=True, slots=True)
class _Guarded:
    """What both sorts of providers have in common."""

    guard: Guard = field(repr=False)
    threads: Executor = field(repr=False)
    query: str = field(repr=False)
    query_metadata: str
    credential: Credential
    """With all that the plugin was given: it may have forgotten to say so."""

    def resolved_query(self) -> str:
        """The query after argument substitution."""
        return self.query

    def lent(self, context: Context) -> Context:
        """What the plugin may use of the world; the threads are its own."""
        return replace(context, threads=self.threads)


@dataclass(frozen=True, slots=True)
class GuardedProvider(_Guarded):
    """Implements ``gateway.provider.Provider``."""

    inner: Provider = field(repr=False)

    async def measure(self, context: Context) -> Reading:
        """Take one measurement. Raises ProviderError and nothing else."""

        async def work() -> Reading:
            return results.reading(await self.inner.measure(self.lent(context)))

        return await self.guard.run("measure", work)

    async def explain_no_data(self, context: Context) -> str:
        """What the plugin says of it, if it says anything."""

        async def work() -> str:
            if not isinstance(self.inner, ExplainsNoData):
                return ""
            return message(await self.inner.explain_no_data(self.lent(context)))

        try:
            return await self.guard.run("explain_no_data", work)
        except ProviderError:
            return ""


@dataclass(frozen=True, slots=True)
class GuardedLasting(_Guarded):
    """Implements ``gateway.provider.LastingProvider``; what lasts too long is ended."""

    inner: LastingProvider = field(repr=False)
    limit_s: float

    async def advance(self, context: Context, attempt: Attempt) -> Progress:
        """Begin the measurement or look at it. Raises ProviderError."""

        async def work() -> Progress:
            return results.progress(await self.inner.advance(self.lent(context), attempt))

        found = await self.guard.run("advance", work)
        if found.phase.is_completed or found.resume_at_unix_s is None:
            return found
        until_unix_s = attempt.began_at_unix_s + self.limit_s
        if context.now_unix_s() >= until_unix_s:
            with suppress(ProviderError):
                await self.terminate(context, attempt)
            late = f"the measurement is not completed after {self.limit_s:g}s"
            raise ProviderUnreachable(self.guard.named(late))
        return replace(found, resume_at_unix_s=min(found.resume_at_unix_s, until_unix_s))

    async def terminate(self, context: Context, attempt: Attempt) -> None:
        """Stop it. Raises ProviderError."""

        async def work() -> None:
            await self.inner.terminate(self.lent(context), attempt)

        await self.guard.run("terminate", work)

    async def collect(self, context: Context, attempt: Attempt, *, keep: int) -> None:
        """Remove what older measurements left behind. Raises ProviderError."""

        async def work() -> None:
            await self.inner.collect(self.lent(context), attempt, keep=keep)

        try:
            await self.guard.run("collect", work)
        except ProviderError as error:
            # It goes to the log, where nobody knows what is secret of this metric.
            failed = self.guard.named(f"collect failed ({type(error).__name__})")
            raise ProviderError(failed) from None

    def longest_s(self) -> float:
        """How long one measurement may take, its last look included."""
        return self.limit_s + self.guard.limit_s + _LAST_LOOK_S


def _credential(made: object, surroundings: Surroundings) -> Credential:
    given = _secrets(surroundings)
    found = surroundings.secret
    # It becomes a label of metrics: what a plugin calls its own could be secret, or have no end.
    name = found.name if isinstance(found, FoundSecret) else ""
    if isinstance(made, HasCredential):
        own = expected(Credential, made.credential, "credential")
        given += tuple(expected(Secret, each, "a secret of Credential") for each in own.secrets)
    return Credential(name, given)


def _secrets(surroundings: Surroundings) -> tuple[Secret, ...]:
    return tuple(map(Secret, surroundings.secret_values().values()))
