"""The dashboard's files and how they are served. No service runs: they tell nothing of what is stored."""

import gzip
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from prometheus_client import CollectorRegistry

from api.app import create_app
from api.dashboard import NEEDED, POLICY, read_bundle
from api.dashboard.bundle import FOLDER
from api.settings import Settings
from api.telemetry.requests import RequestMetrics
from api.vitals import Vitals

APP = create_app(Settings())
APP.state.requests = RequestMetrics(CollectorRegistry(), Vitals(), None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the page's folder, with stand-ins for the libraries."""
    copy = tmp_path / "dashboard"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("assets", "*.py", "__pycache__"))
    (copy / "assets").mkdir()
    for name in NEEDED:
        (copy / "assets" / name).write_text("/* a library */", encoding="utf-8")
    return copy


@pytest.fixture
async def browser(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx2.AsyncClient]:
    monkeypatch.setattr("api.routes.dashboard.read_bundle", lambda: read_bundle(folder))
    transport = httpx2.ASGITransport(app=APP)  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=transport, base_url="http://lattice.example") as client:
        yield client


async def test_the_page_may_run_and_reach_nothing_but_its_own(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/dashboard")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert answer.headers["cache-control"] == "no-cache"
    assert not re.search(r"<style|style=|<script>|\bon\w+=|https?://", answer.text)


async def test_every_file_that_the_page_names_is_there_and_kept_for_good(browser: httpx2.AsyncClient) -> None:
    page = (await browser.get("/dashboard")).text
    named = re.findall(r'(?:src|href)="(/dashboard/files/[^"]+)"', page)
    assert len(named) >= 10
    for name in named:
        answer = await browser.get(name)
        assert answer.status_code == 200, name
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-security-policy"] == POLICY
        again = await browser.get(name, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_a_file_under_an_old_version_is_the_new_one_and_not_kept(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/dashboard/files/0123456789abcdef/js/app.js")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.text == (FOLDER / "js/app.js").read_text("utf-8")


async def test_files_are_packed_for_those_who_unpack(browser: httpx2.AsyncClient) -> None:
    async def read(encoding: str) -> tuple[str | None, bytes]:
        url = "/dashboard/files/any/css/base.css"
        async with browser.stream("GET", url, headers={"accept-encoding": encoding}) as answer:
            raw = b"".join([piece async for piece in answer.aiter_raw()])
        assert answer.headers["vary"] == "Accept-Encoding"
        return answer.headers.get("content-encoding"), raw

    plain, packed = await read("identity"), await read("br, gzip")
    assert (plain[0], packed[0]) == (None, "gzip")
    assert gzip.decompress(packed[1]) == plain[1]


@pytest.mark.parametrize(
    "name", ["nothing.js", "bundle.py", "page.html", "..%2Fbundle.py", "js/..%2F..%2Fsettings.py", "js"]
)
async def test_nothing_else_is_served(browser: httpx2.AsyncClient, name: str) -> None:
    answer = await browser.get(f"/dashboard/files/any/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")


async def test_without_its_libraries_the_page_says_how_to_get_them(browser: httpx2.AsyncClient, folder: Path) -> None:
    (folder / "assets" / NEEDED[0]).unlink()
    answer = await browser.get("/dashboard")
    assert answer.status_code == 503
    assert NEEDED[0] in answer.text
    assert "make setup" in answer.text
    assert answer.headers["content-security-policy"] == POLICY


def test_a_changed_file_has_a_new_address(folder: Path) -> None:
    before = read_bundle(folder)
    assert read_bundle(folder) is before
    (folder / "js/app.js").write_text("// other\n", encoding="utf-8")
    after = read_bundle(folder)
    assert after.version != before.version
    assert after.version in after.page.content.decode()
    assert after.files["js/app.js"].content == b"// other\n"
