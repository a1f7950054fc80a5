"""A real browser that looks at pages, and minds what it sees."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

_WATCH = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""


@dataclass
class Looking:
    """A page that is open, and what it complained about."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    async def at(self, url: str) -> "Looking":
        """Go to an address, and wait until it has all it needs."""
        await self.page.goto(url)
        await self.page.wait_for_load_state("load")
        return self

    async def text(self, selector: str = "main") -> str:
        """What is to be read there."""
        return await self.page.locator(selector).first.inner_text()

    async def until(self, script: str) -> None:
        """Wait for something to become true in the page."""
        # Playwright's own way to wait evaluates texts, which the policy of the page forbids.
        async with asyncio.timeout(10):
            while not await self.page.evaluate(f"Boolean({script})"):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.03)

    async def barriers(self) -> list[tuple[str, list[str]]]:
        """What axe-core calls a serious or a critical barrier, each with where it is."""
        found = (await Axe().run(self.page)).response["violations"]
        return [
            (each["id"], [node["html"] for node in each["nodes"]][:3])
            for each in found
            if each["impact"] in {"serious", "critical"}
        ]

    async def focused(self) -> str:
        """What has the focus: its id, else its text."""
        return str(
            await self.page.evaluate(
                "document.activeElement.id || document.activeElement.innerText.trim()"
            )
        )


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's."""
    path = shutil.which("chromium")
    assert path is not None, "there is no chromium: tools/setup test installs it"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def looking(browser: Browser, **options: Any) -> AsyncIterator[Looking]:
    """A browser that knows nothing yet, with one page."""
    context = await browser.new_context(**options)
    context.set_default_timeout(10_000)
    await context.add_init_script(_WATCH)
    page = await context.new_page()
    seen = Looking(page, context)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            seen.complaints.append(message.text) if message.type in {"error", "warning"} else None
        ),
    )
    yield seen
    await context.close()
