"""What the pages tell, as a browser shows it, and what can be done there."""

import json
import re
from pathlib import Path

import pytest
import yaml
from browsing import Looking
from run_calls import endless
from running import service
from shown_runs import Shown, keep

from gateway.model import Phase

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_list_says_how_runs_stand(look: Looking, shown: Shown) -> None:
    """Phase, name, templates, and why; the name leads to the run."""
    await look.at(shown.url)
    text = await look.text("#runs")
    for each in ("Failed", "release-", "shop", "failed (2) > failureLimit (1)"):
        assert each in text
    await look.page.locator(f"#run-{shown.failed}").click()
    await look.page.wait_for_url(f"**/runs/{shown.failed}")


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        pytest.param("namespace=shop&phase=Failed", True, id="of-a-namespace-and-a-phase"),
        pytest.param("template=release", True, id="of-a-template"),
        pytest.param("phase=Error", False, id="of-another-phase"),
    ],
)
async def test_the_list_shows_what_is_wanted(shown: Shown, query: str, *, is_there: bool) -> None:
    """By the words of the API's own parameters."""
    page = await shown.gateway.get(f"/?{query}")
    assert (f'id="run-{shown.failed}"' in page.text) is is_there


async def test_older_runs_are_found_with_the_same_filter(tmp_path: Path) -> None:
    """A page at a time; the last one leads nowhere but back."""
    async with service(tmp_path) as gateway:
        for name in ("one", "two", "three"):
            await keep(gateway.gateway, name, [], [], phase=Phase.SUCCESSFUL, start_unix_s=1e9)
        first = await gateway.get("/?namespace=shop&limit=2")
        older = re.search(r'href="(/\?namespace=shop[^"]+)">Older', first.text)
        assert older is not None
        second = await gateway.get(older[1].replace("&amp;", "&"))
        assert (first.text.count('id="run-'), second.text.count('id="run-')) == (2, 1)
        assert "Older" not in second.text
        assert "Newest" in second.text


async def test_a_run_says_why_it_was_stopped(look: Looking, shown: Shown) -> None:
    """The rule, the counters against their limits, and each measurement with its reason."""
    await look.at(f"{shown.url}/runs/{shown.failed}")
    text = " ".join((await look.text()).split())
    for each in (
        "[0.9] does not satisfy result[0] >= 0.95 (missed by 0.05)",
        "measured 4 / 6",
        "failed 2 / 1 over",
        "errors in a row 0 / 4",
        "[0.97] satisfies result[0] >= 0.95 (met by 0.02)",
        "sum(rate(ok[1m]))",
        "token:argo-rollouts",
    ):
        assert each in text


async def test_a_run_is_drawn_with_its_limit(look: Looking, shown: Shown) -> None:
    """A canvas with ink on it; who cannot see it hears what it shows."""
    await look.at(f"{shown.url}/runs/{shown.failed}")
    await look.until("document.querySelector('.canvas canvas')")
    label = await look.page.locator(".canvas").first.get_attribute("aria-label")
    assert label is not None
    assert "4 measurements" in label
    assert "result[0] >= 0.95" in label
    ink = await look.page.evaluate(
        """() => {
          const canvas = document.querySelector(".canvas canvas");
          const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          return data.some((value, index) => index % 4 === 3 && value > 0);
        }"""
    )
    assert ink


async def test_a_run_goes_on_before_ones_eyes(look: Looking, shown: Shown) -> None:
    """Measurements come without a reload, until somebody ends it, and is asked whether to."""
    started = await shown.gateway.post("/v1/runs", endless(shown.upstream.url))
    run_id = started.body["metadata"]["uid"]
    await look.at(f"{shown.url}/runs/{run_id}")
    await look.until("document.querySelector('#metric-1-rows tbody tr')")
    await look.page.locator("#terminate").click()
    await look.page.get_by_role("button", name="Keep it running").click()
    assert (await shown.gateway.get(f"/v1/runs/{run_id}")).body["spec"].get("terminate") is None
    await look.page.locator("#terminate").click()
    await look.page.locator("dialog").get_by_role("button", name="Terminate").click()
    await look.until("document.getElementById('head').dataset.over === 'true'")
    assert await look.page.locator("#terminate").count() == 0
    head = await look.text("#head")
    assert "Successful" in head
    assert "terminated: it has not passed" in head


async def test_the_list_is_kept_up_to_date(look: Looking, shown: Shown) -> None:
    """A run that was started elsewhere appears, and the focus stays where it was."""
    await look.at(shown.url)
    await look.page.locator(f"#run-{shown.failed}").focus()
    body = endless(shown.upstream.url)
    started = await shown.gateway.post("/v1/runs", body)
    run_id = started.body["metadata"]["uid"]
    await look.until(f"document.getElementById('run-{run_id}')")
    assert await look.focused() == f"run-{shown.failed}"
    await shown.gateway.post(f"/v1/runs/{run_id}/terminate", "")


async def test_a_run_can_be_read_and_taken_along_as_it_is(look: Looking, shown: Shown) -> None:
    """The YAML of the page and of the file is the AnalysisRun of the API."""
    await look.at(f"{shown.url}/runs/{shown.failed}/manifest")
    read = yaml.safe_load(await look.text("pre"))
    async with look.page.expect_download() as pending:
        await look.page.get_by_role("link", name="Download").click()
    download = await pending.value
    assert download.suggested_filename == f"analysisrun-{shown.failed}.yaml"
    taken = yaml.safe_load((await download.path()).read_text())
    of_api = (await shown.gateway.get(f"/v1/runs/{shown.failed}")).body
    assert json.loads(json.dumps(read, default=str)) == of_api
    assert taken == read


async def test_a_template_is_shown_with_what_is_wrong_in_it(look: Looking, shown: Shown) -> None:
    """Below the line that it is about."""
    await look.at(f"{shown.url}/templates/shop/colour")
    found = look.page.locator(".line.found", has_text="result == x")
    assert await found.count() == 1
    assert "unknown name x" in await look.page.locator(".below").first.inner_text()


async def test_a_template_is_evaluated_with_other_arguments(look: Looking, shown: Shown) -> None:
    """The form has the defaults; the answer says why."""
    await look.at(f"{shown.url}/templates")
    await look.page.get_by_role("link", name="good").click()
    await look.page.get_by_role("button", name="Evaluate").click()
    await look.until("document.querySelector('#verdict .Successful')")
    await look.page.get_by_label("wanted").fill("blue")
    await look.page.get_by_role("button", name="Evaluate").click()
    await look.until("document.querySelector('#verdict .Failed')")
    assert '"green" does not satisfy result == "blue"' in await look.text("#verdict")


async def test_who_may_sees_what_was_asked_and_answered(look: Looking, shown: Shown) -> None:
    """And what each piece of the condition gave; all folded until somebody wants it."""
    await look.at(f"{shown.url}/templates/shop/good")
    await look.page.get_by_label("with requests and answers").check()
    await look.page.get_by_role("button", name="Evaluate").click()
    await look.page.get_by_text("GET, 200").click()
    await look.page.get_by_text("What each piece of the success condition gave").click()
    text = await look.text("#verdict")
    assert f"GET {shown.upstream.url}" in text
    assert '200\n\n"green"' in text
    assert 'result == "green"\ntrue' in text
    assert await look.barriers() == []


async def test_problems_are_found_as_one_types(look: Looking, shown: Shown) -> None:
    """Each leads to its line; when it is mended, it is gone."""
    await look.at(f"{shown.url}/playground?template=shop/colour")
    await look.until("document.querySelector('#findings .finding.error')")
    assert await look.barriers() == []
    await look.page.locator("#findings button").first.click()
    assert await look.focused() == "template"
    chosen = await look.page.evaluate("document.getSelection().toString()")
    assert "result == x" in chosen
    await look.page.keyboard.type('    successCondition: result == "green"')
    await look.until("document.querySelector('#findings .phase.Successful')")
    await look.page.get_by_role("button", name="Evaluate").click()
    await look.until("document.querySelector('#verdict .Successful')")


CONDITIONS = [
    ("result[0] > 1", "[2]", "json", "true"),
    ("result[0] > 1", "[1]", "json", "false"),
    ("result > 1", "[2]", "floats", "mismatched types"),
    ("result > 1", "[", "json", "no JSON"),
    ("result > 1", '"a"', "float", "is no number"),
]


async def test_a_condition_is_tried(look: Looking, shown: Shown) -> None:
    """As the command line has it: true, false, impossible; no JSON, another type."""
    await look.at(f"{shown.url}/playground")
    for condition, result, kind, told in CONDITIONS:
        await look.page.get_by_label("Typed as").select_option(kind)
        await look.page.get_by_label("Result, as JSON").fill(result)
        await look.page.locator("#condition [name=condition]").fill(condition)
        await look.until(f"document.getElementById('outcome').innerText.includes({told!r})")
    # What a browser says of an answer that is no 200 is no complaint about the page.
    look.complaints[:] = [each for each in look.complaints if "422" not in each]


async def test_upstreams_are_told_of(look: Looking, shown: Shown) -> None:
    """Connections, how providers did, and how much the cache answered."""
    await shown.gateway.get("/v1/namespaces/shop/analysistemplates/good/verdict")
    await look.at(f"{shown.url}/upstreams")
    text = await look.text()
    for each in ("prom", "https://prometheus.example/", "web", "Answered by the cache"):
        assert each in text
