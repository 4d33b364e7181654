"""What tests write into the lattice beforehand, by the REST API, into gems of their own."""

from typing import Any

from tests.browser.visit import Visit


async def send(visit: Visit, method: str, path: str, data: Any = None) -> Any:
    """Call the API and return its answer."""
    answer = await visit.page.request.fetch(f"{visit.address}/api/v1{path}", method=method, data=data)
    assert answer.ok, f"{answer.status} {await answer.text()}"
    return await answer.json() if answer.status != 204 else None


async def make_gem(visit: Visit, name: str, *documents: dict[str, Any]) -> str:
    """Make a gem with documents, and return its id."""
    gem = (await send(visit, "POST", "/gems", {"name": name}))["id"]
    await send(visit, "POST", f"/gems/{gem}/documents", {"documents": list(documents)})
    return str(gem)
