"""From tables, as TOML and JSON give them, to a configuration in which everything has been checked."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from core.errors import ConfigurationError
from core.log import is_secret
from core.registry import Registry
from llm_router.config.checks import dotted
from llm_router.config.limits import CacheConfig
from llm_router.config.models import ModelConfig
from llm_router.config.router import RouterConfig
from llm_router.config.shape import Table, read_shape
from llm_router.config.targets import SCRIPTED, TargetConfig
from llm_router.providers.provider import PROVIDERS, Provider

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def build_config(
    tables: Mapping[str, object], environment: Mapping[str, str], providers: Registry[Provider] = PROVIDERS
) -> RouterConfig:
    """Return the configuration that these tables describe.

    Args:
        tables: as docs/settings.md describes them.
        environment: where keys and other secrets stand.
        providers: who may be named as a target's provider.

    Raises:
        ConfigurationError: with everything that is wrong at once, each with its place, never with a secret's value.
    """
    shaped = read_shape(tables)
    builder = _Builder(environment, providers, shaped.problems)
    values = _values_of(shaped.table)
    backoff = _values_of(values.pop("backoff", None))
    values |= {f"backoff_{name}": value for name, value in backoff.items()}
    values["targets"] = tuple(
        builder.build_target(name, values.get("targets", {}).get(name)) for name in _names(tables, "targets")
    )
    values["models"] = tuple(
        _build_model(name, values.get("models", {}).get(name)) for name in _names(tables, "models")
    )
    values["cache"] = builder.build_cache(values.get("cache"))
    problems = builder.problems
    problems += _list_control_characters(tables)
    try:
        config = RouterConfig(**{name: _plain(value) for name, value in values.items()})
        if not problems:
            return config
    except ConfigurationError as e:
        problems += problems_of(e)
    problems = [*dict.fromkeys(problems)]
    raise ConfigurationError("; ".join(problems), problems=problems)


def problems_of(error: ConfigurationError) -> list[str]:
    """Return what an error says is wrong, each by itself."""
    problems = error.details.get("problems")
    return [str(problem) for problem in problems] if isinstance(problems, list) else [error.message]


def _list_control_characters(value: object, *place: str | int) -> Iterator[str]:
    """Yield where a text holds what neither a log, a header nor the database can; lines and tabs may be in a text."""
    if isinstance(value, str) and _CONTROL.search(value):
        yield f"{dotted(*place)}: holds a control character"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if _CONTROL.search(str(key)) or "\n" in str(key):
                yield f"{dotted(*place, str(key))}: has a control character in its name"
            else:
                yield from _list_control_characters(inner, *place, str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _list_control_characters(inner, *place, number)


class _Builder:
    """Builds what needs the environment and the providers; gathers what is wrong."""

    def __init__(self, environment: Mapping[str, str], providers: Registry[Provider], problems: list[str]) -> None:
        self.problems = problems
        self._environment = environment
        self._providers = providers

    def build_target(self, name: str, table: Table | None) -> TargetConfig:
        """Return the target; one that is faultless in the place of one without shape, so that the rest is judged."""
        if table is None:
            return TargetConfig(name, SCRIPTED)
        values = {key: _plain(value) for key, value in _values_of(table).items()}
        variable = values.pop("api_key_env", None)
        where = dotted("targets", name)
        for group in ("headers", "query"):
            for key in values.get(group, {}):
                if is_secret(key):
                    place = dotted("targets", name, group, key)
                    self.problems.append(f"{place}: no secret stands in the file: see api_key_env and api_key_header")
        try:
            provider = self._providers.get(values["provider"])
        except ConfigurationError as e:
            self.problems.append(f"{where}.provider: {e.message}")
        else:
            if variable is None and values.get("base_url") is None:
                variable = provider.key_variable
        key = "" if variable is None else self._read_secret(f"{where}.api_key_env", variable)
        return TargetConfig(name=name, api_key=key, **values)

    def build_cache(self, table: Table | None) -> CacheConfig:
        """Return the cache's settings, with the address that may hold a password."""
        values = _values_of(table)
        variable = values.pop("url_env", None)
        url = None if variable is None else self._read_secret("cache.url_env", variable)
        return CacheConfig(url=url, **values)

    def _read_secret(self, where: str, variable: str) -> str:
        secret = self._environment.get(variable, "")
        if not secret:
            # somebody may have put the secret itself where its variable's name belongs
            named = variable if re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", variable) else "that it names"
            self.problems.append(f"{where}: the variable {named} is not set")
        return secret


def _build_model(name: str, table: Table | None) -> ModelConfig:
    if table is None:
        return ModelConfig(name, ())
    return ModelConfig(name=name, **{key: _plain(value) for key, value in _values_of(table).items()})


def _values_of(table: Table | None) -> dict[str, Any]:
    """Return what was written in a table; inner tables stay tables."""
    return {} if table is None else {name: getattr(table, name) for name in table.model_fields_set}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a configuration may hold
    """Return the dataclass that a table stands for; anything else as it is."""
    if isinstance(value, Table):
        return value.kind(**{name: _plain(inner) for name, inner in _values_of(value).items()})
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


def _names(tables: Mapping[str, object], section: str) -> Iterable[str]:
    written = tables.get(section)
    return written if isinstance(written, Mapping) else ()
