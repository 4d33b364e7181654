"""Alerts over REST: the rules, what fires, who takes care of it, silences."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from litestar import Litestar

from api.alerts.watch import AlertWatch, Look
from api.live.live import Live
from api.live.reading import Reading, Surroundings, TargetPulse
from api.service import Service
from api.settings import AlertSettings, Settings
from api.vitals import Vitals
from core.clock import utc_now
from core.pg import Database
from gems import FieldSummary, Moment
from knowledge.jobs import Backlog
from tests.integration.api.conftest import check_problem, settle

MONTH = timedelta(days=30)
COST = {"metric": "cost_usd_per_hour", "op": "above", "threshold": 5, "clear_threshold": 3, "severity": "critical"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The service looks at its rules when it is told to, and else once an hour."""
    return settings.model_copy(update={"alerts": AlertSettings(interval_s=3_600, allow_private_webhooks=True)})


class Scene:
    """What the service is like, as a test sets it; several processes may watch it."""

    def __init__(self, database: Database, service: Service) -> None:
        self._database, self._service = database, service
        self.cost, self.lag, self.breaker = 0.0, 0.0, "closed"
        self.now = utc_now()

    def watch(self, interval_s: float = 5.0) -> AlertWatch:
        return AlertWatch(self._database, self._service.tenant, self.read, lambda: Moment(self.now, MONTH), interval_s)

    async def read(self) -> Reading:
        field = FieldSummary(self.now, 0, 0.0, 0.0, 0.0, 0.0, 0.0, (0.0, 1.0), (0,), (0,), 0, 0.1)
        target: Any = TargetPulse("gpt", True, self.breaker, 0)  # type: ignore[arg-type]
        return Reading(field, Surroundings(Backlog(0, 0, self.lag), self.cost), Vitals().read(0.0), [target])

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def scene(database: Database, service: Service) -> Scene:
    return Scene(database, service)


def told(look: Look) -> list[tuple[str, str]]:
    return [(alert.rule, alert.change) for alert in look.changed]


async def put_cost_rule(client: httpx2.AsyncClient, **more: Any) -> None:
    answer = await client.put("/alerts/rules/cost", json={**COST, **more})
    assert answer.status_code == 200, answer.text


async def list_alerts(client: httpx2.AsyncClient, state: str = "firing") -> list[dict[str, Any]]:
    answer = await client.get("/alerts", params={"state": state})
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_built_in_rules_are_there_and_come_back(client: httpx2.AsyncClient) -> None:
    before = (await client.get("/alerts/rules")).json()["rules"]
    assert {rule["metric"] for rule in before if rule["built_in"]} >= {"coherence_mean", "error_rate", "provider_down"}
    await put_cost_rule(client, enabled=False)
    changed = {rule["name"]: rule for rule in (await client.get("/alerts/rules")).json()["rules"]}
    assert (changed["cost"]["threshold"], changed["cost"]["enabled"]) == (5, False)
    assert [name for name, rule in changed.items() if rule["changed"]] == ["cost"]
    assert (await client.delete("/alerts/rules/cost")).status_code == 204
    assert (await client.get("/alerts/rules")).json()["rules"] == before
    check_problem(await client.delete("/alerts/rules/cost"), 404, "alert_rule_not_found")
    check_problem(await client.delete("/alerts/rules/nothing"), 404, "alert_rule_not_found")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"clear_threshold": 9}, "clear_threshold"),
        ({"metric": "weather"}, "metric"),
        ({"for_s": -1}, "for_s"),
        ({"gem_id": str(uuid4())}, "gem_id"),
        ({"metric": "gem_coherence", "op": "below", "clear_threshold": 9, "gem_id": str(uuid4())}, "gem_id"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused(client: httpx2.AsyncClient, change: dict[str, Any], field: str) -> None:
    problem = check_problem(await client.put("/alerts/rules/mine", json={**COST, **change}), 422, "invalid_input")
    assert problem["details"]["field"] == field


async def test_an_alert_fires_once_and_ends_once(client: httpx2.AsyncClient, scene: Scene) -> None:
    await put_cost_rule(client)
    watch = scene.watch()
    assert told(await watch.look()) == []
    scene.cost = 6.0
    first = await watch.look()
    assert told(first) == [("cost", "fired")]
    assert first.firing == {"critical": 1}
    for cost in (7.0, 4.0, 5.5, 3.5):  # beyond the threshold or within the band
        scene.wait(5)
        scene.cost = cost
        assert told(await watch.look()) == []
    (alert,) = await list_alerts(client)
    assert (alert["rule"], alert["subject_name"], alert["value"], alert["state"]) == (
        "cost",
        "the lattice",
        3.5,
        "firing",
    )
    scene.wait(5)
    scene.cost = 3.0
    assert told(await watch.look()) == [("cost", "resolved")]
    assert await list_alerts(client) == []
    (alert,) = await list_alerts(client, "resolved")
    assert alert == (await client.get(f"/alerts/{alert['id']}")).json()
    assert alert["resolved_at"] is not None
    check_problem(await client.get(f"/alerts/{uuid4()}"), 404, "alert_not_found")


async def test_it_must_stay_so_for_its_time(client: httpx2.AsyncClient, scene: Scene) -> None:
    await put_cost_rule(client, for_s=30)
    watch, scene.cost = scene.watch(), 6.0
    for _ in range(6):
        assert told(await watch.look()) == []
        scene.wait(5)
    assert told(await watch.look()) == [("cost", "fired")]


async def test_processes_agree_on_one_alert(client: httpx2.AsyncClient, scene: Scene) -> None:
    """Two see it, one sees that it is over: it ends when no process sees it any more."""
    await put_cost_rule(client)
    one, other = scene.watch(), scene.watch()
    scene.cost = 6.0
    looks = await asyncio.gather(one.look(), other.look())
    assert sorted(each.firing["critical"] for each in looks if each.firing) == [1] * len([e for e in looks if e.firing])
    assert len(await list_alerts(client)) == 1
    scene.wait(1)
    scene.cost = 0.0
    assert ("cost", "resolved") not in told(await one.look())
    assert len(await list_alerts(client)) == 1
    scene.wait(1)
    assert ("cost", "resolved") in told(await other.look())
    assert told(await one.look()) == [("cost", "resolved")]
    assert len(await list_alerts(client, "all")) == 1


async def test_an_alert_of_a_process_that_died_ends_all_the_same(client: httpx2.AsyncClient, scene: Scene) -> None:
    await put_cost_rule(client)
    scene.cost = 6.0
    await scene.watch().look()
    scene.cost = 0.0
    scene.wait(5)
    later = scene.watch()
    assert told(await later.look()) == []
    scene.wait(30)
    assert told(await later.look()) == [("cost", "resolved")]


async def test_each_target_has_its_own_alert(client: httpx2.AsyncClient, scene: Scene) -> None:
    scene.breaker = "open"
    watch = scene.watch()
    await watch.look()
    scene.wait(61)
    look = await watch.look()
    assert [(alert.rule, alert.subject) for alert in look.changed] == [("provider", "gpt")]
    assert (await client.put("/alerts/rules/provider", json={**COST, "enabled": False})).status_code == 200
    assert told(await watch.look()) == [("provider", "resolved")]


async def test_a_gem_that_fades_is_alerted_about_until_it_is_measured_or_gone(
    client: httpx2.AsyncClient, scene: Scene
) -> None:
    kept, lost = [(await client.post("/gems", json={"name": name})).json()["id"] for name in ("kept", "lost")]
    rule = {"metric": "gem_coherence", "op": "below", "threshold": 0.1, "clear_threshold": 0.2}
    await client.put("/alerts/rules/fading", json=rule)
    watch = scene.watch()
    assert told(await watch.look()) == []
    scene.wait(86_400 * 100)
    look = await watch.look()
    assert {alert.subject_name for alert in look.changed} == {"kept", "lost"}
    assert {alert.subject for alert in look.changed} == {kept, lost}
    assert (await client.delete(f"/gems/{lost}")).status_code == 204
    assert [(a.subject, a.change) for a in (await watch.look()).changed] == [(lost, "resolved")]
    await client.put("/alerts/rules/fading", json={**rule, "gem_id": kept, "threshold": 0.01, "clear_threshold": 0.01})
    assert [(a.subject, a.change) for a in (await watch.look()).changed] == [(kept, "resolved")]


async def test_an_alert_is_acknowledged(client: httpx2.AsyncClient, scene: Scene) -> None:
    await put_cost_rule(client)
    watch, scene.cost = scene.watch(), 6.0
    await watch.look()
    (alert,) = await list_alerts(client)
    path = f"/alerts/{alert['id']}/acknowledgements"
    answer = await client.post(path, json={"note": "on it"})
    assert answer.status_code == 200
    assert (answer.json()["acknowledgement"], answer.json()["change"]) == ("on it", "acknowledged")
    scene.now = utc_now()
    assert told(await watch.look()) == [("cost", "acknowledged")]
    scene.wait(5)
    scene.cost = 0.0
    await watch.look()
    check_problem(await client.post(path, json={}), 409, "conflict")
    check_problem(await client.post(f"/alerts/{uuid4()}/acknowledgements", json={}), 404, "alert_not_found")


async def test_a_silenced_alert_is_told_when_the_silence_ends(client: httpx2.AsyncClient, scene: Scene) -> None:
    await put_cost_rule(client)
    problem = check_problem(
        await client.post("/alerts/silences", json={"for_s": 60, "rule": "cots"}), 422, "invalid_input"
    )
    assert problem["details"]["field"] == "rule"
    assert "cost" in problem["detail"]
    silence = (await client.post("/alerts/silences", json={"for_s": 3600, "rule": "cost", "note": "known"})).json()
    assert (await client.get("/alerts/silences")).json()["silences"] == [silence]
    watch, scene.cost = scene.watch(), 6.0
    assert told(await watch.look()) == [("cost", "fired")]
    (alert,) = await list_alerts(client)
    assert (alert["silenced"], alert["notified_at"]) == (True, None)
    assert (await client.delete(f"/alerts/silences/{silence['id']}")).status_code == 204
    check_problem(await client.delete(f"/alerts/silences/{silence['id']}"), 404, "silence_not_found")
    await watch.look()
    (alert,) = await list_alerts(client)
    assert alert["silenced"] is False
    assert alert["notified_at"] is not None


async def test_a_changed_rule_is_judged_at_once(client: httpx2.AsyncClient, app: Litestar) -> None:
    """The loop itself: the service looks once an hour here, and at once when a rule was put."""
    await settle(lambda: app.state.live.count_firing() == {})
    await client.put("/alerts/rules/mine", json={**COST, "threshold": -1, "clear_threshold": -1})
    await settle(lambda: app.state.live.count_firing() == {"critical": 1})
    live: Live = app.state.live
    metrics = (await client.get("http://localhost/metrics")).text
    assert 'lattice_alerts_firing{severity="critical"} 1.0' in metrics
    assert live.broadcast.viewers == 0
