"""A visit to the dashboard: one fresh page of a browser, and what goes wrong on it."""

import asyncio
import json
import os
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import ConsoleMessage, Page, Response

from tests.browser.chromium import AXE, IMAGES, give_up

PATIENCE_MS = 60_000
PICTURE_BYTES = 200_000
WATCH_POLICY = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} forbids ${event.blockedURI || event.sample}`));
"""
WATCH_JUMPS = """
globalThis.jumps = [];
const keepJumps = (entries) => jumps.push(...entries.filter((each) => !each.hadRecentInput).map((each) => each.value));
const jumpWatch = new PerformanceObserver((list) => keepJumps(list.getEntries()));
jumpWatch.observe({ type: "layout-shift", buffered: true });
globalThis.takeJumps = () => (keepJumps(jumpWatch.takeRecords()), jumps.splice(0));
"""
HEAR = """(times) => new Promise((resolve) => {
  const told = new MutationObserver(() => {
    times -= 1;
    if (times > 0) return;
    told.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(resolve)); // by the second frame the first was painted
  });
  told.observe(document.getElementById("live-state"), { attributeFilter: ["title"] }); // the frame notes each snapshot
})"""


@dataclass  # without slots: Playwright keeps its wrappers of methods on the instance
class Visit:
    """One page.

    Attributes:
        faults: errors of the console, of scripts, of the policy, and answers of the service that were errors.
        expected: parts of faults that this test provokes.
        made: ids of gems that are deleted afterwards, since others draw the same lattice.
    """

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    async def prepare(self) -> None:
        """Watch from the first script on."""
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("response", self._look)
        await self.page.add_init_script(WATCH_POLICY)
        await self.page.add_init_script(WATCH_JUMPS)

    def _hear(self, message: ConsoleMessage) -> None:
        # an answer that is an error is heard twice; `_look` knows which it was
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.faults.append(f"console: {message.text}")

    def _look(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"answer: {response.status} {response.request.method} {response.url}")

    def unexpected(self) -> list[str]:
        """Return the faults that the test did not provoke."""
        return [fault for fault in self.faults if not any(part in fault for part in self.expected)]

    async def open(self, view: str = "#/overview") -> Page:
        """Go to a view by its address, and wait until what it loads first is there."""
        if self.page.url.startswith(self.address):  # only the view will change: the one that is left is no answer
            await self.page.evaluate("document.querySelector('.view')?.removeAttribute('data-shown')")
        await self.page.goto(f"{self.address}/dashboard{view}")
        await self.settle()
        return self.page

    async def settle(self) -> None:
        """Wait until the view is there and no part of it is waiting."""
        await self.page.wait_for_selector(".view[data-shown]", state="attached")
        await self.page.wait_for_selector("main [aria-busy=true]", state="detached")  # the policy forbids to poll

    async def chart(self, within: str, kind: str) -> Any:
        """Return the data that a chart draws.

        Args:
            within: a selector of what it is in.
            kind: such as line.
        """
        figure = self.page.locator(f"{within} figure[data-chart={kind}]").first
        await figure.wait_for()
        return await figure.evaluate("figure => figure.lattice.data")

    async def ask(self, path: str, body: object = None) -> Any:
        """Ask the service itself: GET, or POST if there is a body."""
        url, request = f"{self.address}/api/v1{path}", self.page.request
        answer = await (request.get(url) if body is None else request.post(url, data=body))
        assert answer.ok, await answer.text()
        return await answer.json()

    async def make_gem(self, name: str, *notes: str) -> str:
        """Make a gem that holds some notes, and return its id."""
        gem = await self.ask("/gems", {"name": name, "description": "Made by a test."})
        self.made.append(gem["id"])
        documents = [{"id": f"note-{i}", "title": f"Note {i}", "text": text} for i, text in enumerate(notes, 1)]
        if documents:
            await self.ask(f"/gems/{gem['id']}/documents", {"documents": documents})
        return str(gem["id"])

    async def clean(self) -> None:
        """Delete what was made."""
        for gem in self.made:
            await self.page.request.delete(f"{self.address}/api/v1/gems/{gem}?dry_run=false")

    async def find_gem(self, name: str) -> str:
        """Return the id of a gem of the stories."""
        gems = (await self.ask("/gems?limit=200"))["items"]
        return next(str(gem["id"]) for gem in gems if gem["name"] == name)

    async def jumps(self) -> float:
        """Return how much the layout moved by itself since the last call (layout shift)."""
        return float(sum(await self.page.evaluate("takeJumps()")))

    async def hear(self, snapshots: int) -> None:
        """Wait until the stream has told so many snapshots more, and the page has drawn the last."""
        async with asyncio.timeout(PATIENCE_MS / 1_000):
            await self.page.evaluate(HEAR, snapshots)

    async def shrink(self) -> None:
        """Make the page that of a phone, before a view is opened."""
        await self.page.set_viewport_size({"width": 390, "height": 844})
        session = await self.page.context.new_cdp_session(self.page)
        await session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    async def check_accessibility(self, *rules: str) -> None:
        """Let axe look at the page as it is, by all rules or by some.

        It is put in through the debugger, past the page's policy.
        """
        if not AXE.exists():
            give_up("axe-core is not in node_modules (`make setup` brings it)")
        session = await self.page.context.new_cdp_session(self.page)
        if not await self.page.evaluate("'axe' in globalThis"):
            await session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
        options = json.dumps({"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})})
        answer = await session.send(
            "Runtime.evaluate",
            {
                "expression": f"axe.run(document, {options}).then((found) => found.violations.map("
                "(each) => `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`))",
                "awaitPromise": True,
                "returnByValue": True,
            },
        )
        await session.detach()
        found = answer["result"]["value"]
        assert not found, "\n".join(found)

    async def picture(self, name: str, *, whole: bool = False) -> None:
        """Leave a picture for the documentation, if `make screenshots` asked for them."""
        if not os.environ.get("LATTICE_SCREENSHOTS"):
            return
        IMAGES.mkdir(exist_ok=True)
        path = IMAGES / f"{name}.png"
        await self.page.screenshot(path=path, full_page=whole, animations="disabled")
        assert path.stat().st_size < PICTURE_BYTES
