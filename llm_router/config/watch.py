"""The configuration's file, watched: a good one is applied whole, a bad one is told once and changes nothing."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Self

import structlog

from core.errors import ConfigurationError
from llm_router.config.file import read_config
from llm_router.config.router import RouterConfig
from llm_router.config.tables import problems_of

Apply = Callable[[RouterConfig], Awaitable[None] | None]

_log = structlog.get_logger(__name__)


class ConfigWatch:
    """Looks at the file now and then, and applies what is another configuration than the one in force.

    Each look reads the whole file (some thousand bytes, less than a millisecond): times and sizes would miss a change
    within one tick of the file system's clock, and changed keys. So it does not matter whether the file is written
    over, replaced by renaming, or reached through a symbolic link that moves, as Kubernetes does. A change counts
    once it stands still, so that no half-written file is applied or complained of.

    Args:
        path: of the TOML file.
        environment: where keys stand; read anew at each look.
        apply: makes a configuration the one in force, whole, or raises ConfigurationError and changes nothing.
        interval_s: between two looks.
        current: the configuration in force; None if that is not known, so that the first look applies the file's.
        settle_s: how long a change must stand still.
    """

    def __init__(
        self,
        path: Path,
        environment: Mapping[str, str],
        apply: Apply,
        interval_s: float = 2.0,
        *,
        current: RouterConfig | None = None,
        settle_s: float = 0.2,
    ) -> None:
        self._path = path
        self._environment = environment
        self._apply = apply
        self._interval_s = interval_s
        self._settle_s = settle_s
        self._current = current
        self._declined: RouterConfig | None = None
        self._problems: list[str] = []
        self._problems_seen = 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run(), name="llm-config-watch")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - the outermost loop: one failed look must not be the last
                _log.exception("llm_config_watch_failed", path=str(self._path))
            await asyncio.sleep(self._interval_s)

    async def look(self) -> bool:
        """Look once; say whether a configuration was applied."""
        try:
            config = read_config(self._path, self._environment)
            is_new = config not in (self._current, self._declined)
            if is_new:
                await asyncio.sleep(self._settle_s)
                is_new = config == read_config(self._path, self._environment)
        except ConfigurationError as e:
            self._note(problems_of(e))
            return False
        self._problems = []
        if config == self._current:
            self._declined = None
        return is_new and await self._take(config)

    async def _take(self, config: RouterConfig) -> bool:
        try:
            applied = self._apply(config)
            if inspect.isawaitable(applied):
                await applied
        except ConfigurationError as e:
            self._declined = config  # another one is tried, this one is not again
            self._refuse(problems_of(e))
            return False
        self._current, self._declined = config, None
        targets, models = [each.name for each in config.targets], [each.name for each in config.models]
        _log.info("llm_config_applied", path=str(self._path), targets=targets, models=models)
        return True

    def _note(self, problems: list[str]) -> None:
        """Tell once of what two looks in a row have seen; while a file is replaced, it is broken for a moment."""
        self._problems_seen = self._problems_seen + 1 if problems == self._problems else 1
        self._problems = problems
        if self._problems_seen == 2:
            self._refuse(problems)

    def _refuse(self, problems: list[str]) -> None:
        _log.error("llm_config_refused", path=str(self._path), problems=problems)
