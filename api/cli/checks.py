"""The checks of `lattice doctor`, in the order in which one rests on the other."""

import os
import platform
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from psycopg import AsyncConnection
from psycopg.rows import dict_row

import migrations
from api.cli.serve import require_token
from api.database_place import open_place
from api.service import Service, open_service
from api.settings import Settings, read_settings
from core.errors import ConfigurationError, LatticeError
from core.log import configure_logging
from core.pg import check_server, connect
from core.pg_server import SERVICE_ROLE
from core.sql import load_queries
from knowledge import RecallQuery
from llm_router import PROVIDERS, Prompt, RouterConfig, TargetConfig, build_router

Status = Literal["OK", "WARN", "FAIL"]

ROOM_WARN_BYTES = 2 * 2**30
ROOM_FAIL_BYTES = 256 * 2**20

_SQL = load_queries("api.cli.sql", "doctor.sql")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; the message says what mends it."""

    name: str
    status: Status
    message: str


async def examine(*, online: bool) -> list[Finding]:
    """Check everything that can be; what rests on something broken is left out."""
    findings = [_check_python()]
    try:
        settings = read_settings()
        findings.append(Finding("settings", "OK", "all variables are known and valid"))
    except ConfigurationError as e:
        return [*findings, Finding("settings", "FAIL", e.message)]
    configure_logging("error")
    findings += [_check_access(settings), _check_llm(settings)]
    folder = _check_folder(settings)
    findings.append(folder)
    if folder.status != "FAIL":
        database = await _check_database(settings)
        findings += database
        if all(finding.status == "OK" for finding in [*database, findings[-1]]) and _is_routable(settings):
            findings += await _check_service(settings, online=online)
    return findings


def _check_python() -> Finding:
    version = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform()}"
    return Finding("python", "OK", version)


def _check_access(settings: Settings) -> Finding:
    try:
        require_token(settings)
    except ConfigurationError as e:
        return Finding("access", "WARN", f"`lattice serve` will not start: {e.message}")
    token = "callers need LATTICE_API_TOKEN" if settings.api_token else "open to every program on this machine"
    return Finding("access", "OK", f"{settings.host}:{settings.port}, {token}")


def _check_llm(settings: Settings) -> Finding:
    try:
        config = settings.router_config()
    except ConfigurationError as e:
        return Finding("llm", "FAIL", e.message)
    targets = _list_remote(config)
    place = f"{settings.llm.config}: " if settings.llm.config else ""
    if not targets:
        return Finding(
            "llm", "OK", f"{place}none configured: answers are made of the evidence's own sentences (extractive)"
        )
    names = ", ".join(target.name for target in targets)
    if settings.llm.config is None:
        return Finding("llm", "OK", f"asked in this order: {names} (--online asks each)")
    models = ", ".join(model.name for model in config.models)
    return Finding("llm", "OK", f"{place}models {models}; targets {names} (--online asks each)")


def _list_remote(config: RouterConfig) -> list[TargetConfig]:
    """Return the targets that can be out of order; those that embed are asked by the embedding's own check."""
    embedding = config.embedding.targets if config.embedding else ()
    remote = [target for target in config.targets if not PROVIDERS.get(target.provider).local]
    return [target for target in remote if target.name not in embedding]


def _is_routable(settings: Settings) -> bool:
    return _check_llm(settings).status != "FAIL"


def _check_folder(settings: Settings) -> Finding:
    if settings.database_url is not None:
        return Finding("data folder", "OK", "not needed: LATTICE_DATABASE_URL is set")
    folder = settings.data_dir.expanduser().absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        return Finding("data folder", "FAIL", f"{there} is not writable: mend its rights, or set LATTICE_DATA_DIR")
    return _check_room(folder, shutil.disk_usage(there).free)


def _check_room(folder: Path, free: int) -> Finding:
    room = f"{folder}, {free / 2**30:.1f} GB free"
    if free < ROOM_FAIL_BYTES:
        return Finding("data folder", "FAIL", f"{room}: make room, or set LATTICE_DATA_DIR to another disk")
    return Finding("data folder", "WARN" if free < ROOM_WARN_BYTES else "OK", room)


async def _check_database(settings: Settings) -> list[Finding]:
    try:
        async with open_place(settings) as place:
            if place.server is not None:  # nobody else tends it
                await migrations.upgrade(place.url)
            async with await connect(place.url) as conn:
                findings = [await _check_server(conn)]
                if findings[0].status == "OK":
                    findings += [await _check_schema(place.url), await _check_row_security(conn)]
                return findings
    except LatticeError as e:
        return [Finding("database", "FAIL", e.message)]


async def _check_server(conn: AsyncConnection[Any]) -> Finding:
    try:
        await check_server(conn)
    except LatticeError as e:
        return Finding("database", "FAIL", e.message)
    version = conn.info.server_version
    row = await (await conn.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")).fetchone()
    vector = f"pgvector {row[0]}" if row else "pgvector is there, not yet installed in this database"
    return Finding("database", "OK", f"Postgres {version // 10_000}.{version % 10_000}, {vector}")


async def _check_schema(url: str) -> Finding:
    status = await migrations.read_status(url)
    if status.is_current:
        return Finding("schema", "OK", f"revision {status.current}")
    return Finding("schema", "FAIL", f"{status.current or 'none'}, needed is {status.head}: lattice db upgrade")


async def _check_row_security(conn: AsyncConnection[Any]) -> Finding:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["read_row_security"], {"role": SERVICE_ROLE})
        facts: Mapping[str, Any] = await cursor.fetchone() or {}
    name = "row security"
    if facts["service_bypasses"] is None:
        return Finding(name, "FAIL", f"the role {SERVICE_ROLE} is missing: lattice db upgrade")
    if facts["service_bypasses"]:
        mend = f"ALTER ROLE {SERVICE_ROLE} NOSUPERUSER NOBYPASSRLS;"
        return Finding(name, "FAIL", f"{SERVICE_ROLE} bypasses it; as an administrator run: {mend}")
    if facts["unprotected"]:
        return Finding(name, "FAIL", f"not forced on {', '.join(facts['unprotected'])}: lattice db upgrade")
    login = f"the login {facts['login']!r} bypasses it, " if facts["login_bypasses"] else ""
    return Finding(name, "OK", f"forced on every table; {login}the service works as {SERVICE_ROLE}, which cannot")


async def _check_service(settings: Settings, *, online: bool) -> list[Finding]:
    config = settings.router_config()
    try:
        async with open_service(settings) as service:
            is_remote = settings.embedding.provider == "openai" or config.embedding is not None
            findings = [await _check_embedding(service, may_ask=online or not is_remote)]
            if online:
                findings += [await _ask_target(service, config, target) for target in _list_remote(config)]
            return findings
    except LatticeError as e:
        return [Finding("service", "FAIL", e.message)]


async def _check_embedding(service: Service, *, may_ask: bool) -> Finding:
    name, model = "embedding", f"{service.embedder.model}, {service.embedder.dimension} dimensions"
    if not may_ask:
        return Finding(name, "OK", f"{model} (remote; --online asks it)")
    started = time.perf_counter()
    try:
        # recall embeds, compares the model with the stored one, and reads as the service's role
        await service.embedder.embed(["Is it there?"])
        took = time.perf_counter() - started
        await service.recall.recall(service.tenant, RecallQuery("Is it there?", k=1), service.at())
    except LatticeError as e:
        return Finding(name, "FAIL", e.message)
    return Finding(name, "OK", f"{model}, a sentence in {took * 1000:.0f} ms")


async def _ask_target(service: Service, config: RouterConfig, target: TargetConfig) -> Finding:
    name = f"llm {target.name}"
    alone = RouterConfig((target,), deadline_s=config.deadline_s, attempts_per_target=1)
    router = build_router(alone, service.embedder.embed)
    try:
        reply = await router.ask(Prompt("Reply with the word OK.", "Reply with the word OK.", (), 64))
    finally:
        await router.aclose()
    attempt = reply.attempts[0]
    if attempt.outcome == "answered":
        return Finding(name, "OK", f"{attempt.model} answered in {attempt.seconds:.1f} s")
    status = f" (HTTP {attempt.status})" if attempt.status else ""
    place = service.settings.llm.config or "LATTICE_LLM__TARGETS"
    return Finding(name, "FAIL", f"{attempt.error}{status}: check its key, model and base_url in {place}")
