"""Where a browser is, how it is started, and what it is given to look at a page with."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.async_api import Browser, Error, Playwright

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
IMAGES = ROOT / "docs/images"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--renderer-process-limit=1",
]


def give_up(reason: str) -> None:
    """Skip the test, or fail it where CI promised that everything needed is there."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI is set")
    pytest.skip(reason)


async def launch(playwright: Playwright) -> Browser:
    """Start a headless Chromium: the machine's, else the one that Playwright installed."""
    try:
        return await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
    except Error as e:
        give_up(f"no Chromium could be started, `make browser` installs one ({e.message.splitlines()[0]})")
        raise
