"""The router: targets with their breakers and latencies, costs, and what switches a target off and on."""

from playwright.async_api import Route, expect

from tests.browser.told import send
from tests.browser.visit import Visit


async def test_targets_are_listed_and_nothing_that_was_not_spent(visit: Visit) -> None:
    told = (await send(visit, "GET", "/llm/targets"))["targets"]
    page = await visit.open("#/router")
    table = page.get_by_role("table", name="LLM targets")
    for each in told:
        await expect(table.get_by_role("row", name=each["name"])).to_contain_text(each["breaker"])
    await expect(page.get_by_role("region", name="Cost")).to_contain_text("No LLM was asked in this time")
    await expect(page.get_by_role("region", name="Budgets")).to_contain_text("No budget is set")
    await page.get_by_label("Split").select_option("day")
    await page.wait_for_url("**by=day*")
    await visit.check_accessibility()


async def test_a_target_is_switched_off_and_on_again(visit: Visit) -> None:
    page = await visit.open("#/router")
    table = page.get_by_role("table", name="LLM targets")
    await table.get_by_role("button", name="Switch off extractive").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("asked no more")
    await dialog.get_by_role("button", name="Switch off").click()
    await expect(table).to_contain_text("switched off")
    assert (await send(visit, "GET", "/llm/targets"))["targets"][0]["enabled"] is False
    await table.get_by_role("button", name="Switch on extractive").click()
    await page.get_by_role("dialog").get_by_role("button", name="Switch on").click()
    await expect(table).to_contain_text("closed")
    assert (await send(visit, "GET", "/llm/targets"))["targets"][0]["enabled"] is True


async def test_breakers_budgets_and_experiments_are_drawn(visit: Visit) -> None:
    """Of a larger house: what one target of the tests cannot show."""
    one = (await send(visit, "GET", "/llm/targets"))["targets"][0]
    fast = one | {"name": "fast", "provider": "openai", "model": "small", "local": False, "breaker": "open"}
    fast |= {
        "samples": 40,
        "latency_p50_s": 0.42,
        "latency_p95_s": 1.9,
        "calls": 61,
        "failures": 20,
        "spent_today_usd": 1.25,
    }
    models = [{"name": "default", "policy": "order", "targets": ["fast", "extractive"], "experiment": "tone"}]
    budget = {"name": "daily", "each": "tenant", "subject": "all", "window": "day", "limit_usd": 5.0, "spent_usd": 4.0}
    budget |= {"reserved_usd": 0.0, "left_usd": 1.0, "window_end": "2030-01-01T00:00:00Z"}
    tokens = {"input_tokens": 41_000, "output_tokens": 9_000}
    spend = {"part": "fast", "calls": 61, "failed": 20, "cost_usd": 3.5, "unpriced": 0, "usage": tokens}
    spend |= {"seconds_p50": 1.2, "seconds_p95": 4.4}
    arm = {"name": "terse", "trials": 31, "mean_reward": 0.7, "low": 0.55, "high": 0.83, "best": 0.9, "share": 0.8}
    trial = {"name": "tone", "model": "default", "method": "thompson", "variants": [arm]}

    async def tell(route: Route) -> None:
        await route.fulfill(json={"targets": [fast, one], "models": models})

    async def tell_cost(route: Route) -> None:
        answer = await route.fetch()
        items = [spend, spend | {"part": "extractive", "cost_usd": 0.0, "calls": 9}]
        await route.fulfill(json=await answer.json() | {"budgets": [budget], "items": items, "total_usd": 3.5})

    async def tell_trials(route: Route) -> None:
        await route.fulfill(json={"items": [trial]})

    page = visit.page
    await page.route("**/llm/targets", tell)
    await page.route("**/llm/cost*", tell_cost)
    await page.route("**/llm/experiments", tell_trials)
    await visit.open("#/router")
    row = page.get_by_role("table", name="LLM targets").get_by_role("row", name="fast")
    await expect(row).to_contain_text("open")
    await expect(row).to_contain_text("420 ms")
    latency = await visit.chart("section:has(h2:text('Latency'))", "bars")
    assert [each["value"] for each in latency["items"]] == [0.42, 1.9]
    cost = await visit.chart(".cost", "bars")
    assert cost["items"] == [{"label": "fast", "value": 3.5}, {"label": "extractive", "value": 0}]
    await expect(page.get_by_role("table", name="Budgets")).to_contain_text("$1.00")
    await expect(page.get_by_role("table", name="tone")).to_contain_text("0.70 (0.55 to 0.83)")
    await visit.check_accessibility()
    await visit.picture("router")
