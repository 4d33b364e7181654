"""Every route says who may call it and is described in whole."""

import json
import re
from typing import Any

import jsonschema
import pytest
from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler
from litestar.routes import HTTPRoute, WebSocketRoute

from api.app import create_app
from api.auth import from_own_page, public
from api.openapi import PAGE_POLICY
from api.schema_page import STYLE, render_page
from api.settings import Settings

APP = create_app(Settings())
SCHEMA: dict[str, Any] = json.loads(json.dumps(APP.openapi_schema.to_schema()))
PUBLIC = {
    "/api/v1/health",
    "/api/v1/health/ready",
    "/dashboard",
    "/dashboard/files/{version:str}/{name:path}",
}
EXPECTED = {
    "GET /metrics",
    "POST /gems",
    "GET /gems",
    "GET /gems/{gem_id}",
    "PATCH /gems/{gem_id}",
    "DELETE /gems/{gem_id}",
    "POST /gems/{gem_id}/archive",
    "POST /gems/{gem_id}/restore",
    "GET /gems/{gem_id}/measurements",
    "GET /gems/{gem_id}/axiom",
    "GET /gems/{gem_id}/entanglements",
    "POST /gems/{gem_id}/entanglements",
    "DELETE /gems/{gem_id}/entanglements/{other_id}",
    "GET /gems/{gem_id}/entanglements/suggestions",
    "GET /gems/{gem_id}/neighbours",
    "GET /lattice/entanglements",
    "GET /gems/{gem_id}/state",
    "GET /gems/{gem_id}/history",
    "GET /gems/{gem_id}/forecast",
    "POST /gems/{gem_id}/rehearsals",
    "GET /gems/{gem_id}/interference",
    "GET /gems/{gem_id}/passages",
    "GET /lattice/field",
    "GET /lattice/history",
    "GET /lattice/risk",
    "GET /lattice/modes",
    "POST /lattice/interference",
    "GET /lattice/reflections",
    "POST /gems/{gem_id}/documents",
    "GET /gems/{gem_id}/documents",
    "GET /gems/{gem_id}/documents/{document_id}",
    "DELETE /gems/{gem_id}/documents/{document_id}",
    "POST /gems/{gem_id}/ingestions",
    "GET /ingestions",
    "GET /ingestions/{ingestion_id}",
    "GET /ingestions/{ingestion_id}/problems",
    "GET /ingestions/{ingestion_id}/events",
    "POST /ingestions/{ingestion_id}/cancel",
    "POST /ingestions/{ingestion_id}/resume",
    "POST /ingestions/{ingestion_id}/retry",
    "GET /gems/{gem_id}/export",
    "POST /imports",
    "POST /gems/{gem_id}/forgetting",
    "POST /gems/{gem_id}/forgetting/undo",
    "GET /gems/{gem_id}/entities",
    "GET /gems/{gem_id}/entities/{entity_id}",
    "POST /gems/{gem_id}/entities/merge",
    "POST /gems/{gem_id}/entities/split",
    "POST /gems/{gem_id}/entities/aliases",
    "POST /gems/{gem_id}/entities/suggestions",
    "GET /gems/{gem_id}/relations",
    "GET /gems/{gem_id}/contradictions",
    "POST /gems/{gem_id}/contradictions/resolve",
    "GET /gems/{gem_id}/graph/predicates",
    "PUT /gems/{gem_id}/graph/predicates",
    "GET /gems/{gem_id}/graph/changes",
    "POST /gems/{gem_id}/graph/undo",
    "GET /gems/{gem_id}/graph/neighbours",
    "GET /gems/{gem_id}/graph/paths",
    "GET /gems/{gem_id}/graph/communities",
    "GET /gems/{gem_id}/graph/central",
    "GET /lattice/graph",
    "GET /gems/{gem_id}/graph/resonance",
    "POST /gems/{gem_id}/graph/resonance",
    "POST /gems/{gem_id}/extractions",
    "GET /gems/{gem_id}/extractions",
    "GET /extractions/{extraction_id}",
    "POST /extractions/{extraction_id}/cancel",
    "POST /recall",
    "POST /recall/channels",
    "POST /gems/{gem_id}/reflections",
    "GET /gems/{gem_id}/reflections",
    "GET /reflections/{reflection_id}",
    "POST /reflections/{reflection_id}/feedback",
    "POST /axiom/score",
    "POST /axiom/subjectivity",
    "GET /extensions",
    "GET /extensions/{name}",
    "POST /simulations",
    "GET /simulations",
    "GET /simulations/{simulation_id}",
    "DELETE /simulations/{simulation_id}",
    "GET /presets",
    "GET /presets/{name}",
    "POST /presets/{name}",
    "GET /cache/stats",
    "GET /llm/targets",
    "POST /llm/targets/{name}/enable",
    "POST /llm/targets/{name}/disable",
    "GET /llm/cost",
    "GET /llm/experiments",
    "GET /lattice/stream",
    "GET /alerts",
    "GET /alerts/{alert_id}",
    "POST /alerts/{alert_id}/acknowledgements",
    "GET /alerts/rules",
    "PUT /alerts/rules/{name}",
    "DELETE /alerts/rules/{name}",
    "GET /alerts/silences",
    "POST /alerts/silences",
    "DELETE /alerts/silences/{silence_id}",
    "GET /alerts/webhooks",
    "POST /alerts/webhooks",
    "DELETE /alerts/webhooks/{webhook_id}",
    "POST /alerts/webhooks/{webhook_id}/tests",
    "GET /health",
    "GET /health/ready",
    "GET /info",
    "DELETE /snapshots/{snapshot_id}",
    "GET /gems/{gem_id}/replay",
    "GET /gems/{gem_id}/snapshots",
    "GET /lattice/replay",
    "GET /lattice/snapshots",
    "GET /operations",
    "GET /snapshots/{snapshot_id}",
    "GET /snapshots/{snapshot_id}/diff",
    "POST /gems/{gem_id}/merges",
    "POST /gems/{gem_id}/snapshots",
    "POST /gems/{gem_id}/splits",
    "POST /lattice/snapshots",
    "POST /operations/{operation_id}/undo",
    "POST /snapshots/retention",
    "POST /snapshots/{snapshot_id}/restores",
    "POST /snapshots/{snapshot_id}/verifications",
}
OPERATIONS = {
    f"{method.upper()} {path.removeprefix('/api/v1')}": operation
    for path, item in SCHEMA["paths"].items()
    for method, operation in item.items()
}


def handlers() -> list[tuple[str, HTTPRouteHandler]]:
    """All handlers but the framework's own answers to OPTIONS."""
    return [
        (route.path, handler)
        for route in APP.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.http_methods != {"OPTIONS"}
    ]


def sockets() -> list[tuple[str, WebsocketRouteHandler]]:
    return [(route.path, route.route_handler) for route in APP.routes if isinstance(route, WebSocketRoute)]


def unwrap(guard: object) -> object:
    return getattr(guard, "func", guard)


def test_every_route_names_who_may_call_it() -> None:
    found = {f"{sorted(map(str, each.http_methods))} {path}": each.resolve_guards() for path, each in handlers()}
    assert len(found) >= len(EXPECTED)
    assert not [route for route, guards in found.items() if not guards]


def test_every_websocket_names_who_may_open_it_and_refuses_other_origins() -> None:
    assert [path for path, _ in sockets()] == ["/api/v1/lattice/stream/socket"]
    for path, each in sockets():
        guards = [unwrap(guard) for guard in each.resolve_guards()]
        assert from_own_page in guards, path
        assert public not in guards
        assert len(guards) > 1


def test_public_routes_are_the_known_ones() -> None:
    open_to_all = {path for path, each in handlers() if public in map(unwrap, each.resolve_guards())}
    assert {path for path in open_to_all if not path.startswith("/schema")} == PUBLIC


def test_the_routes_are_the_promised_ones() -> None:
    assert set(OPERATIONS) == EXPECTED


def test_the_description_is_openapi_3_1() -> None:
    assert SCHEMA["openapi"].startswith("3.1.")
    for name, component in SCHEMA["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(component)
        assert name.isalnum()


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_is_described(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    assert all(each["description"] for each in operation.get("parameters", []))
    for status, response in operation["responses"].items():
        if int(status) >= 400:
            assert [*response["content"]] == ["application/problem+json"]


@pytest.mark.parametrize("name", sorted(SCHEMA["components"]["schemas"]))
def test_every_field_is_described(name: str) -> None:
    component = SCHEMA["components"]["schemas"][name]
    undescribed = [
        field
        for field, each in component["properties"].items()
        if not (each.get("description") or "$ref" in each or any("$ref" in one for one in each.get("oneOf", ())))
    ]
    assert not undescribed


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = render_page(SCHEMA)
    assert not re.search(r"""(src|href|action)\s*=\s*["']?\s*(https?:)?//""", page)
    assert not re.search(r"https?://|url\(|@import|<script|<link|<img|<iframe|\son\w+=|javascript:", page)
    assert f"<style>{STYLE}</style>" in page
    assert "'unsafe-inline'" not in PAGE_POLICY
    assert "script-src" not in PAGE_POLICY


def test_the_page_shows_every_route_and_schema() -> None:
    page = render_page(SCHEMA)
    for path, item in SCHEMA["paths"].items():
        for method in item:
            assert f"<b>{method.upper()}</b> <code>{path}</code>" in page
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert links == set(re.findall(r'id="([^"]+)"', page)) & links
    assert set(SCHEMA["components"]["schemas"]) == set(re.findall(r'<details id="([^"]+)"', page))


def test_the_page_escapes_what_it_shows() -> None:
    evil = "<script>alert(1)</script>"
    schema = {
        "info": {"title": evil, "version": evil, "description": evil},
        "tags": [{"name": "t", "description": evil}],
        "paths": {f"/{evil}": {"get": {"tags": ["t"], "summary": evil, "description": evil, "responses": {}}}},
        "components": {"schemas": {evil: {"description": evil, "properties": {evil: {"type": evil, "enum": [evil]}}}}},
    }
    assert "<script>" not in render_page(schema)
