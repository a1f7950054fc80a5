"""What comes from elsewhere is shown as the text that it is, in every place of every page."""

import json
import time

import pytest
import pytest_asyncio
from browsing import Looking
from running import template, web_metric
from shown_runs import HOSTILE, Shown, keep, measured, result

from gateway.model import Phase
from gateway.web.run_view import MAX_CHARS

pytestmark = pytest.mark.asyncio(loop_scope="session")

VALUES = {
    "a-number": "0.25",
    "no-number": "NaN",
    "numbers-that-are-none": "[NaN,+Inf,-Inf]",
    "a-list-of-lists": "[[1,2],[3]]",
    "a-mixed-list": '[1,"a",null]',
    "an-empty-list": "[]",
    "an-object": '{"rate":0.5,"</script>":[1]}',
    "a-truth-value": "true",
    "nothing": "null",
    "no-value": "",
    "a-number-beyond-all": "1e400",
    "a-huge-number": "1" + "0" * 400,
    "a-text": '"green"',
    "no-json": "{[",
    "a-script": HOSTILE,
    "ten-kilobytes": "x" * 10_000,
    "a-thousand-numbers": json.dumps([0.5] * 1000),
    "control-characters": "a\x00b\x1b[31m\u202egnp.exe",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hostile(shown: Shown) -> str:
    """A run in which every text is hostile that can be."""
    now = time.time()
    spec = {
        "provider": {"web": {"url": HOSTILE}},
        "successCondition": f"result > 0.5 && {HOSTILE}",
        "failureCondition": HOSTILE,
    }
    # What looks like an argument would be replaced before the run begins.
    name_of = HOSTILE.replace("{{7*7}}", "").__add__
    metrics = [{"name": name_of(each), **spec} for each in VALUES]
    results = [
        result(
            metric["name"],
            Phase.FAILED,
            measured(
                ["0.5", value],
                [Phase.SUCCESSFUL, Phase.FAILED],
                start_unix_s=now - 60,
                message=HOSTILE,
                metadata={HOSTILE: HOSTILE},
            ),
            message=HOSTILE,
            metadata={HOSTILE: HOSTILE},
        )
        for metric, value in zip(metrics, VALUES.values(), strict=True)
    ]
    return await keep(
        shown.gateway.gateway,
        "hostile",
        metrics,
        results,
        phase=Phase.FAILED,
        message=HOSTILE,
        start_unix_s=now - 60,
        made_by=HOSTILE,
        template=HOSTILE.replace(",", ""),
        args=[{"name": HOSTILE, "value": HOSTILE}],
    )


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/runs/{id}", id="the-run"),
        pytest.param("/", id="the-list"),
        pytest.param("/runs/{id}/manifest", id="its-yaml"),
        pytest.param(f"/?template={HOSTILE.replace('&', '%26')}", id="a-filter"),
    ],
)
async def test_no_text_becomes_more_than_a_text(
    look: Looking, shown: Shown, hostile: str, path: str
) -> None:
    """Nothing runs, nothing is loaded, and nothing is missing of what is read."""
    await look.at(shown.url + path.format(id=hostile).replace("7*7", "{7*7}"))
    assert "broken" not in await look.page.title()
    assert await look.page.locator("main img, main script").count() == 0
    if "template=" not in path:
        assert "<script>" in await look.text()


async def test_each_value_is_drawn_as_far_as_it_has_numbers(
    look: Looking, shown: Shown, hostile: str
) -> None:
    """One that has none takes nothing from the others; long ones are cut."""
    await look.at(f"{shown.url}/runs/{hostile}")
    count = await look.page.locator("figure.plot canvas").count()
    assert count == len(VALUES)
    values = await look.page.locator("code.value").all_inner_texts()
    assert max(map(len, values)) == MAX_CHARS + 3


async def test_an_answer_of_the_api_stays_a_text(look: Looking, shown: Shown) -> None:
    """Findings, refusals and verdicts are written by scripts, which write texts."""
    await look.at(f"{shown.url}/playground")
    broken = template(web_metric(HOSTILE, HOSTILE, name=HOSTILE))
    await look.page.locator("#template").fill(json.dumps(broken))
    await look.until("document.querySelector('#findings .finding.error')")
    await look.page.get_by_role("button", name="Evaluate").click()
    await look.until("document.querySelector('#verdict .Failed, #verdict .Error')")
    answered = template(web_metric(shown.upstream.url, 'result == "1"', name="odd"))
    shown.upstream.plays = [type(shown.upstream.plays[0])(json.dumps(HOSTILE).encode())]
    await look.page.locator("#template").fill(json.dumps(answered))
    await look.page.get_by_role("button", name="Evaluate").click()
    await look.until("document.querySelector('#verdict').innerText.includes('onerror')")
    assert await look.page.locator("main img, main script").count() == 0
    assert "broken" not in await look.page.title()
    look.complaints[:] = [each for each in look.complaints if "422" not in each]
