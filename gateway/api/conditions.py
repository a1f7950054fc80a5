"""``POST /v1/condition``: try a condition against a result, as the command line does."""

import asyncio
from typing import Annotated

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway import conditions
from gateway.access.policy import Action
from gateway.access.rights import Rights
from gateway.api import bodies, parameters
from gateway.api.callers import caller_of
from gateway.config.settings import Settings
from gateway.documents import Document
from gateway.errors import ConditionError, Problem, RequestInvalid, TemplateInvalid
from gateway.model import ResultType
from gateway.shapes import shape_problems


class Trial(BaseModel):
    """What is tried."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    condition: Annotated[str, Field(min_length=1)]
    result: object
    """What a provider would have measured."""
    type: str = ResultType.JSON.value
    """How ``result`` is typed: ``json``, ``float`` or ``floats``."""


class ConditionCalls:
    """``/v1/condition``."""

    def __init__(self, rights: Rights, settings: Settings) -> None:
        self._rights = rights
        self._settings = settings

    def routes(self) -> list[web.RouteDef]:
        """The path that this resource answers."""
        return [web.post("/v1/condition", self.evaluate)]

    async def evaluate(self, request: web.Request) -> web.Response:
        """Whether a condition is true of a result, or why that cannot be said."""
        caller = caller_of(request)
        self._rights.check_any(caller, Action.INLINE, Action.VERDICT, Action.RUN, Action.ADMIN)
        parameters.single_values(request.rel_url.raw_query_string, known=frozenset(), prefixes=())
        trial = _trial(await bodies.documents(request, self._settings.limits))
        # What a condition may cost is bounded, but other callers would notice.
        body = await asyncio.to_thread(outcome, trial)
        return web.Response(
            body=orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE),
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )


def outcome(trial: Trial) -> dict[str, object]:
    """What comes of it; ``ok`` only for a condition that is true.

    Raises:
        TemplateInvalid: the result is not of its type.

    """
    try:
        result, kind = conditions.decoded(trial.result, trial.type)
    except ValueError as error:
        raise TemplateInvalid((Problem("result", str(error)),)) from None
    try:
        holds = conditions.evaluate(trial.condition, result, kind)
    except ConditionError as error:
        return {"ok": False, "error": str(error), "hint": error.pointed()}
    return {"ok": holds, "error": "", "hint": ""}


def _trial(documents: tuple[Document, ...]) -> Trial:
    if len(documents) != 1:
        raise RequestInvalid('the body must be one object: {"condition": "..", "result": ..}')
    try:
        return Trial.model_validate(documents[0].content)
    except ValidationError as error:
        raise TemplateInvalid(shape_problems(Trial, error)) from None
