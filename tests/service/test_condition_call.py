"""``POST /v1/condition``: the answers of the command ``condition``, over HTTP."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from command_line import command
from running import Service, service

pytestmark = pytest.mark.asyncio(loop_scope="module")
EXPENSIVE = "all(1..99999, all(1..99999, # > 0))"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One for all questions."""
    async with service(tmp_path_factory.mktemp("state")) as running:
        yield running


@pytest.mark.parametrize(
    ("body", "ok", "error"),
    [
        pytest.param('{"condition": "result > 1", "result": 2}', True, "", id="true"),
        pytest.param('{"condition": "result > 1", "result": 1}', False, "", id="false"),
        pytest.param(
            '{"condition": "result[0] >= 0.95", "result": [0.97], "type": "floats"}',
            True,
            "",
            id="a-vector",
        ),
        pytest.param(
            '{"condition": "isNaN(result)", "result": "NaN", "type": "float"}',
            True,
            "",
            id="no-number",
        ),
        pytest.param(
            '{"condition": "result", "result": 1}', False, "expected bool", id="no-truth-value"
        ),
        pytest.param('{"condition": "resul > 1", "result": 1}', False, "unknown name", id="a-typo"),
        pytest.param(
            f'{{"condition": "{EXPENSIVE}", "result": 1}}',
            False,
            "too many steps",
            id="too-expensive",
        ),
        pytest.param("condition: result.a == 1\nresult: {a: 1}", True, "", id="yaml"),
    ],
)
async def test_a_condition_is_tried(gateway: Service, body: str, error: str, *, ok: bool) -> None:
    """What cannot be evaluated is not true, and says why, with a caret where there is a place."""
    reply = await gateway.post("/v1/condition", body)
    assert reply.status == 200, reply.text
    assert reply.body["ok"] is ok
    assert error in reply.body["error"]
    assert reply.body["hint"].startswith(reply.body["error"])


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        pytest.param('{"result": 1}', 422, "condition", id="nothing"),
        pytest.param('{"condition": "", "result": 1}', 422, "condition", id="no-condition"),
        pytest.param('{"condition": "true"}', 422, "result", id="no-result"),
        pytest.param(
            '{"condition": "true", "result": 1, "typ": "json"}', 422, "typ", id="a-misspelt-field"
        ),
        pytest.param(
            '{"condition": "true", "result": 1, "type": "int"}', 422, "result", id="no-such-type"
        ),
        pytest.param(
            '{"condition": "true", "result": "a", "type": "float"}', 422, "result", id="not-of-it"
        ),
        pytest.param("", 400, "", id="an-empty-body"),
        pytest.param("[1, 2", 400, "", id="no-yaml"),
    ],
)
async def test_what_is_no_question_is_refused(
    gateway: Service, body: str, status: int, path: str
) -> None:
    """With the place of what is wrong."""
    reply = await gateway.post("/v1/condition", body)
    assert reply.status == status
    assert [each["path"] for each in reply.body["problems"]] == ([path] if path else [])


async def test_parameters_are_unknown(gateway: Service) -> None:
    """Arguments are for templates."""
    body = '{"condition": "true", "result": 1}'
    assert (await gateway.post("/v1/condition?args.x=1", body)).status == 400


async def test_the_command_line_says_the_same(gateway: Service) -> None:
    """The same words about the same condition."""
    reply = await gateway.post("/v1/condition", '{"condition": "result > \'a\'", "result": 1}')
    told = await command("condition", "result > 'a'", "--result", "1")
    assert reply.body["hint"] == told.err.rstrip("\n")
