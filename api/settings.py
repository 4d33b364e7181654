"""All settings, read once from the environment (LATTICE_…), frozen. Nothing else reads the environment."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import platformdirs
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from core.errors import ConfigurationError

if TYPE_CHECKING:
    from llm_router import RouterConfig

PREFIX = "LATTICE_"
NESTED = "__"
DAY_S = 86_400.0


def _check_token(token: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", token.get_secret_value()):
        raise ValueError("must be of visible ASCII characters, without spaces or line breaks: a header carries it")
    return token


def _check_path(path: Path) -> Path:
    if not str(path).isprintable():  # else no message could name it
        raise ValueError("must be of printable characters, in UTF-8")
    return path


class Section(BaseModel):
    """A group of settings; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EmbeddingSettings(Section):
    """Which model turns text into vectors."""

    provider: Literal["local", "fastembed", "openai"] = Field(
        default="local",
        description="`local` needs no network; `fastembed` needs the extra; `openai` is any compatible server",
    )
    model: str = Field(default="all-MiniLM-L6-v2", description="the model's name; `local` has this one")
    dimension: int | None = Field(default=None, ge=1, le=4_000, description="of a vector; required for `openai`")
    base_url: str | None = Field(default=None, description="of the compatible server")
    api_key: SecretStr = Field(default=SecretStr(""), description="for the compatible server")


class TargetSettings(Section):
    """One LLM behind one address."""

    provider: str
    model: str
    name: str = ""
    base_url: str | None = None
    api_key_env: str | None = None
    timeout_s: float = 60.0
    legacy_max_tokens: bool = False
    price_input_usd: Decimal | None = None
    price_output_usd: Decimal | None = None
    price_cache_read_usd: Decimal | None = None
    price_cache_write_usd: Decimal | None = None

    @property
    def label(self) -> str:
        """What attempts and reflections call it."""
        return self.name or f"{self.provider}/{self.model}"

    def as_table(self) -> dict[str, Any]:
        """Return the target as the configuration's file would have it."""
        given = self.model_dump(exclude={"name", "timeout_s"}, exclude_none=True)
        prices = {key.removeprefix("price_"): given.pop(key) for key in [*given] if key.startswith("price_")}
        priced = {"prices": prices} if {"input_usd", "output_usd"} <= {*prices} else {}
        return {**given, **priced, "clocks": {"total_s": self.timeout_s}}


class LLMSettings(Section):
    """Which models answer; the extractive answer, which needs no network, is always the last."""

    config: Annotated[Path, AfterValidator(_check_path)] | None = Field(
        default=None, description="a TOML file that says all of it; see The router's file"
    )
    targets: tuple[TargetSettings, ...] = Field(default=(), description="JSON list, asked in order; see Models")
    deadline_s: float = Field(
        default=90.0, gt=0, le=DAY_S, description="for one answer, all targets and retries together"
    )
    attempts_per_target: int = Field(default=3, ge=1, le=10, description="calls of one target at most")

    @model_validator(mode="after")
    def _is_told_once(self) -> Self:
        besides = sorted(self.model_fields_set - {"config"})
        if self.config is not None and besides:
            names = ", ".join(f"{PREFIX}LLM{NESTED}{name.upper()}" for name in besides)
            raise ValueError(f"{PREFIX}LLM{NESTED}CONFIG names a file, so {names} must not be set: it says that too")
        twice = sorted(name for name, count in Counter(each.label for each in self.targets).items() if count > 1)
        if twice:
            raise ValueError(f"{PREFIX}LLM{NESTED}TARGETS: two targets are named {', '.join(map(repr, twice))}")
        return self


class PoolSettings(Section):
    """Connections to Postgres."""

    max_size: int = Field(default=10, ge=2, le=200, description="connections at most")
    statement_timeout_s: float = Field(default=30.0, ge=0.001, le=DAY_S, description="longest statement")
    lock_timeout_s: float = Field(default=10.0, ge=0.001, le=DAY_S, description="longest wait for a lock")


class RecallSettings(Section):
    """How recall orders what it found."""

    weights: Annotated[Path, AfterValidator(_check_path)] | None = Field(
        default=None, description="a file of `lattice eval tune`; unset means the constants"
    )
    reranker: str | None = Field(
        default=None, description="a cross-encoder that fastembed knows, for questions that ask for it"
    )


class TracesSettings(Section):
    """Where OpenTelemetry's spans go."""

    endpoint: HttpUrl | None = Field(
        default=None,
        description="base address of a collector of OTLP over HTTP; needs the extra `otel`; unset sends nothing",
    )
    service_name: str = Field(default="crystal-lattice", min_length=1, description="what spans say who made them")
    sample_ratio: float = Field(
        default=1.0, ge=0.0, le=1.0, description="share of traces that are kept, unless the caller has decided"
    )


class StreamSettings(Section):
    """How the lattice is told live."""

    interval_s: float = Field(default=1.0, ge=0.25, le=60, description="between two snapshots, in seconds")


class AlertSettings(Section):
    """How alerts are judged and delivered."""

    interval_s: float = Field(default=5.0, ge=0.25, le=3_600, description="between two looks at all rules, in seconds")
    allow_private_webhooks: bool = Field(
        default=False, description="whether webhooks may be sent to private addresses, and without TLS"
    )


class Settings(BaseSettings):
    """The settings of the service and of the command line."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=NESTED, frozen=True, extra="forbid", env_ignore_empty=True
    )

    database_url: SecretStr | None = Field(
        default=None, description="any Postgres 16+ with pgvector 0.8+; unset means embedded"
    )
    data_dir: Annotated[Path, AfterValidator(_check_path)] = Field(
        default_factory=lambda: platformdirs.user_data_path("crystal-lattice"), description="where embedded data lives"
    )
    api_token: Annotated[SecretStr, AfterValidator(_check_token)] | None = Field(
        default=None, description="callers must send it as a bearer token; unset means open"
    )
    host: str = Field(default="127.0.0.1", description="address to listen on; others than loopback require the token")
    port: int = Field(default=8000, ge=0, le=65_535, description="port to listen on; 0 takes a free one")
    max_body_bytes: int = Field(default=25_000_000, ge=1_000, description="largest request body")
    max_ingestion_bytes: int = Field(
        default=1_000_000_000, ge=1_000, description="largest body of an ingestion; it is never held in memory"
    )
    ingest_root: Annotated[Path, AfterValidator(_check_path)] | None = Field(
        default=None, description="folder that ingestions may name files of by their path; unset means none may"
    )
    extensions_dir: Annotated[Path, AfterValidator(_check_path)] | None = Field(
        default=None, description="folder that extensions are loaded from; unset means installed packages alone"
    )
    workers: int = Field(
        default=1, ge=0, le=64, description="jobs that `lattice serve` carries out at a time; 0 leaves them to workers"
    )
    time_unit_days: float = Field(
        default=30.0, ge=0.001, le=1_000_000, description="length of a τ, the unit in which states evolve"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least level that is logged"
    )
    log_json: bool = Field(default=True, description="log lines as JSON; false for reading by eye")
    embedding: EmbeddingSettings = EmbeddingSettings()
    llm: LLMSettings = LLMSettings()
    pool: PoolSettings = PoolSettings()
    recall: RecallSettings = RecallSettings()
    traces: TracesSettings = TracesSettings()
    stream: StreamSettings = StreamSettings()
    alerts: AlertSettings = AlertSettings()

    @property
    def time_unit(self) -> timedelta:
        """The length of a τ."""
        return timedelta(days=self.time_unit_days)

    def router_config(self, environment: Mapping[str, str] = os.environ) -> "RouterConfig":
        """Return what the router must be told, with the keys from their variables.

        Raises:
            ConfigurationError: with everything that is wrong at once.
        """
        from llm_router import build_config, read_config  # noqa: PLC0415 - half a second, which most commands can spare

        if self.llm.config is not None:
            return read_config(self.llm.config.expanduser(), environment)
        told = self.llm.model_dump(include={"deadline_s", "attempts_per_target"})
        targets = {target.label: target.as_table() for target in self.llm.targets}
        try:
            return build_config({**told, "targets": targets}, environment)
        except ConfigurationError as e:
            raise ConfigurationError(f"{PREFIX}LLM{NESTED}TARGETS: {e.message}", **e.details) from None


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read all settings.

    Raises:
        ConfigurationError: with everything that is wrong at once, each by its variable's name.
    """
    known = set(list_variables())
    problems = [
        f"{name} is not a setting; see docs/settings.md"
        for name in sorted(environment)
        if name.startswith(PREFIX) and name.upper() not in known
    ]
    try:
        settings = Settings()
    except SettingsError as e:  # of all settings only the targets are JSON
        problems.append(f"{PREFIX}LLM{NESTED}TARGETS: is no JSON ({e.__cause__})")
        raise ConfigurationError("; ".join(problems), problems=problems) from None
    except ValidationError as e:
        problems += [_problem(error["loc"], error["msg"]) for error in e.errors(include_url=False, include_input=False)]
        raise ConfigurationError("; ".join(problems), problems=problems) from None
    if problems:
        raise ConfigurationError("; ".join(problems), problems=problems)
    return settings


def list_variables() -> Iterator[str]:
    """Yield the environment variable of every setting."""
    yield from _variables(Settings, PREFIX)


def _variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name}".upper()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _variables(field.annotation, f"{variable}{NESTED}")
        else:
            yield variable


def _problem(location: tuple[int | str, ...], message: str) -> str:
    plain = message.removeprefix("Value error, ").replace("a valid tuple", "a JSON list")
    return f"{PREFIX}{NESTED.join(str(part) for part in location).upper()}: {plain}"
