"""The pages are light and quick, and for everybody: by keyboard, by ear, on a phone, at night."""

import gzip
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from browsing import Looking, looking
from playwright.async_api import Browser
from run_calls import endless
from shown_runs import Shown, keep, measured, result

from gateway.model import Phase

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = {
    "runs": "/",
    "a-run": "/runs/{failed}",
    "a-manifest": "/runs/{failed}/manifest",
    "templates": "/templates",
    "a-template": "/templates/shop/colour",
    "playground": "/playground?template=shop/colour",
    "upstreams": "/upstreams",
    "no-run": "/runs/0",
}
MAX_WEIGHT_BYTES = 200_000
MAX_DRAW_MS = 1_000
MEASUREMENTS = 1_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared(browser: Browser) -> AsyncIterator[Looking]:
    """A page for all who do nothing but look at one thing after the other."""
    async with looking(browser) as seen:
        yield seen


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def long_run(shown: Shown) -> str:
    """A run with as many measurements as are kept of one metric."""
    start = time.time() - 30 * MEASUREMENTS
    phases = [
        Phase.FAILED if number % 37 == 0 else Phase.SUCCESSFUL for number in range(MEASUREMENTS)
    ]
    values = [f"[{0.95 + (number * 7919 % 100 - 20) / 2000:.4f}]" for number in range(MEASUREMENTS)]
    return await keep(
        shown.gateway.gateway,
        "long",
        [
            {
                "name": "success-rate",
                "interval": "30s",
                "count": MEASUREMENTS,
                "failureLimit": 50,
                "successCondition": "result[0] >= 0.95",
                "provider": {"prometheus": {"address": "http://prom", "query": "up"}},
            }
        ],
        [result("success-rate", Phase.SUCCESSFUL, measured(values, phases, start_unix_s=start))],
        phase=Phase.SUCCESSFUL,
        start_unix_s=start,
        took_s=30 * MEASUREMENTS,
    )


@pytest.mark.parametrize("path", [pytest.param(path, id=name) for name, path in PAGES.items()])
async def test_axe_finds_nothing_that_shuts_people_out(
    shared: Looking, shown: Shown, path: str
) -> None:
    """No violation that it calls serious or critical, by day and by night."""
    await shared.at(shown.url + path.format(failed=shown.failed))
    for scheme in ("light", "dark"):
        await shared.page.emulate_media(color_scheme=scheme)
        assert await shared.barriers() == []


@pytest.mark.parametrize("path", [pytest.param(path, id=name) for name, path in PAGES.items()])
async def test_nothing_lies_beyond_the_edge_of_a_phone(
    shared: Looking, shown: Shown, path: str
) -> None:
    """375 pixels are enough: nobody scrolls sideways."""
    await shared.page.set_viewport_size({"width": 375, "height": 700})
    await shared.at(shown.url + path.format(failed=shown.failed))
    assert await shared.page.evaluate("document.documentElement.scrollWidth") == 375


async def test_a_run_can_be_ended_by_keyboard_alone(look: Looking, shown: Shown) -> None:
    """From the list to the run, to the button, to the question, and back after a change of mind."""
    started = await shown.gateway.post("/v1/runs", endless(shown.upstream.url))
    run_id = started.body["metadata"]["uid"]
    await look.at(shown.url)
    press = look.page.keyboard.press
    await press("Tab")
    assert await look.focused() == "Skip to the content"
    await press("Enter")
    assert await look.focused() == "main"
    await _tab_to(look, f"run-{run_id}")
    await press("Enter")
    await look.page.wait_for_url(f"**/runs/{run_id}")
    await look.until("document.querySelector('#metric-1-rows tbody tr')")
    await _tab_to(look, "terminate")
    await press("Enter")
    assert await look.focused() == "Keep it running"
    await press("Escape")
    assert await look.focused() == "terminate"
    await press("Enter")
    await press("Tab")
    assert await look.focused() == "Terminate"
    await press("Enter")
    await look.until("document.getElementById('head').dataset.over === 'true'")


async def _tab_to(look: Looking, wanted: str) -> None:
    for _ in range(40):
        await look.page.keyboard.press("Tab")
        if await look.focused() == wanted:
            return
    raise AssertionError(f"{wanted} cannot be reached with the key Tab")


async def test_colours_are_as_the_system_has_them_until_somebody_chooses(
    browser: Browser, shown: Shown
) -> None:
    """A choice outlasts the page; phases have an icon and a word, not a colour alone."""
    background = "getComputedStyle(document.body).backgroundColor"
    async with looking(browser, color_scheme="dark") as seen:
        await seen.at(shown.url)
        dark = await seen.page.evaluate(background)
        await seen.page.get_by_role("button", name="Colours").click()
        light = await seen.page.evaluate(background)
        await seen.at(f"{shown.url}/templates")
        assert (await seen.page.evaluate(background)) == light != dark
        await seen.page.get_by_role("button", name="Colours: light").click()
        assert (await seen.page.evaluate(background)) == dark


async def test_a_thousand_measurements_are_drawn_within_a_second(
    look: Looking, shown: Shown, long_run: str
) -> None:
    """As the browser itself measures it."""
    await look.at(f"{shown.url}/runs/{long_run}")
    await look.until("performance.getEntriesByName('plots').length")
    took_ms = await look.page.evaluate("performance.getEntriesByName('plots')[0].duration")
    rows = await look.page.locator("#metric-1-rows tbody tr").count()
    print(f"{MEASUREMENTS} measurements are drawn in {took_ms:.0f} ms")  # noqa: T201 - a figure
    assert rows == MEASUREMENTS
    assert took_ms < MAX_DRAW_MS


async def test_all_of_a_run_weighs_less_than_a_picture(
    browser: Browser, shown: Shown, long_run: str
) -> None:
    """Packed, with every file that the page has; nothing comes from elsewhere."""
    bodies: dict[str, int] = {}
    async with looking(browser) as seen:

        async def weigh(response: object) -> None:
            body = await response.body()  # type: ignore[attr-defined]
            bodies[response.url] = len(gzip.compress(body))  # type: ignore[attr-defined]

        seen.page.on("response", weigh)
        await seen.at(f"{shown.url}/runs/{long_run}")
        await seen.page.wait_for_load_state("networkidle")
    assert all(url.startswith(shown.url) for url in bodies)
    print(f"{sum(bodies.values())} bytes in {len(bodies)} files")  # noqa: T201 - a figure
    assert sum(bodies.values()) < MAX_WEIGHT_BYTES


async def test_answers_are_packed_for_who_can_unpack(shown: Shown) -> None:
    """Pages and files; files are kept for good, pages never."""
    page = await shown.gateway.get("/", **{"Accept-Encoding": "gzip"})
    plain = await shown.gateway.get("/", **{"Accept-Encoding": "identity"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert page.headers["Cache-Control"] == "no-store"
    start = page.text.index("/static/")
    style = page.text[start : page.text.index('"', start)].rpartition("/")[0] + "/page.css"
    kept = await shown.gateway.get(style)
    of_another_version = await shown.gateway.get("/static/0/page.css")
    assert "immutable" in kept.headers["Cache-Control"]
    assert of_another_version.headers["Cache-Control"] == "no-store"
    assert of_another_version.text == kept.text
    assert (await shown.gateway.get("/static/0/nothing.css")).status == 404
