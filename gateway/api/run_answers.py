"""Runs as responses: the AnalysisRun document, a page of them, and what the headers add."""

from collections.abc import Mapping
from typing import Final

import orjson
from aiohttp import web

from gateway.api.problems import RETRY_AFTER_S
from gateway.run_document import run_json
from gateway.run_manifest import KIND
from gateway.runs.store import Page, Run
from gateway.wire import API_VERSION

NOTE_ANNOTATION: Final = "analysis-gateway/note"
"""What an answer has to say about itself, beside the run; it is not kept with it."""


def document(run: Run) -> dict[str, object]:
    """The whole document of a run."""
    return run_json(run.manifest, run.status, is_terminated=run.is_terminated)


def noted(content: Mapping[str, object], note: str) -> dict[str, object]:
    """A run's document that says something about the answer."""
    metadata = content["metadata"]
    own = dict(metadata) if isinstance(metadata, dict) else {}
    annotations = {**own.get("annotations", {}), NOTE_ANNOTATION: note}
    return {**content, "metadata": {**own, "annotations": annotations}}


def page_json(page: Page) -> dict[str, object]:
    """A page of runs; with ``metadata.continue`` if there is another one."""
    return {
        "apiVersion": API_VERSION,
        "kind": f"{KIND}List",
        "metadata": {} if page.cursor is None else {"continue": page.cursor},
        "items": [document(run) for run in page.runs],
    }


def location(run_id: str) -> str:
    """Where a run can be asked for."""
    return f"/v1/runs/{run_id}"


def answer(
    body: Mapping[str, object], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A document as a response."""
    named = {"Cache-Control": "no-store", **(headers or {})}
    if status in {202, 503}:
        named["Retry-After"] = str(RETRY_AFTER_S)
    return web.Response(
        status=status,
        body=orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE),
        content_type="application/json",
        headers=named,
    )
