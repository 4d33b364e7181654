"""What the service is like at a moment: the field of its gems, its pulse, its LLM targets, and what waits."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from api.service import Service
from api.vitals import VitalSigns
from core.clock import utc_now
from gems import FieldSummary, read_field
from knowledge.jobs import Backlog, measure_backlog
from llm_router import read_spend

HOUR = timedelta(hours=1)
COST_EVERY_S = 30.0  # an hour's calls may be many, and their sum changes slowly


@dataclass(frozen=True, slots=True)
class TargetPulse:
    """How an LLM target fares in this process.

    Attributes:
        busy: calls under way.
    """

    name: str
    enabled: bool
    breaker: Literal["closed", "open", "half_open"]
    busy: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is read less often than the field.

    Attributes:
        cost_usd_last_hour: of LLM calls, where the cost is known.
    """

    backlog: Backlog
    cost_usd_last_hour: float


@dataclass(frozen=True, slots=True)
class Reading:
    """All that alerts are judged by."""

    field: FieldSummary
    surroundings: Surroundings
    vitals: VitalSigns
    targets: Sequence[TargetPulse]


class Pulse:
    """Reads what a service is like."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._cost_usd, self._cost_until = 0.0, -math.inf

    async def read_field(self) -> FieldSummary:
        """Return what the gems are like together: one query.

        Raises:
            LatticeError: the database could not be asked.
        """
        service = self._service
        async with service.database.transaction(service.tenant, read_only=True) as conn:
            return await read_field(conn, service.at())

    async def read_surroundings(self) -> Surroundings:
        """Return what waits, and what was spent until half a minute ago at the least.

        Raises:
            LatticeError: the database could not be asked.
        """
        service = self._service
        async with service.database.transaction(service.tenant, read_only=True) as conn:
            backlog = await measure_backlog(conn)
        if time.monotonic() >= self._cost_until:
            now = utc_now()
            spends = await read_spend(service.database, service.tenant, since=now - HOUR, until=now, by="target")
            self._cost_usd = float(sum(spend.cost_usd for spend in spends))
            self._cost_until = time.monotonic() + COST_EVERY_S
        return Surroundings(backlog, self._cost_usd)

    def read_vitals(self) -> VitalSigns:
        """Return what this process did of late."""
        return self._service.vitals.read(time.monotonic())

    def list_targets(self) -> list[TargetPulse]:
        """Return how LLM targets fare in this process, each once."""
        found: dict[str, TargetPulse] = {}
        for route in self._service.llm.list_routes():
            health = route.health
            found.setdefault(route.name, TargetPulse(route.name, health.enabled, health.breaker.state, health.busy))
        return list(found.values())
