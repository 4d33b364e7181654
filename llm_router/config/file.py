"""The configuration's file: TOML, read whole or refused with all that is wrong."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from core.errors import ConfigurationError
from llm_router.config.router import RouterConfig
from llm_router.config.tables import build_config, problems_of


def read_config(path: Path, environment: Mapping[str, str]) -> RouterConfig:
    """Read the router's configuration.

    Args:
        path: of a TOML file; docs/settings.md describes it.
        environment: where keys and other secrets stand.

    Raises:
        ConfigurationError: with everything that is wrong at once, each with its place, never with a secret's value.
    """
    try:
        return build_config(_parse(path.read_bytes()), environment)
    except OSError as e:
        problems = [f"cannot be read: {e.strerror or type(e).__name__}"]
    except ConfigurationError as e:
        problems = problems_of(e)
    except RecursionError:  # dotted keys nest without end
        problems = ["is too deeply nested"]
    raise ConfigurationError(f"{path}: {'; '.join(problems)}", path=str(path), problems=problems)


def _parse(content: bytes) -> dict[str, object]:
    try:
        text = content.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as e:
        line = content.count(b"\n", 0, e.start) + 1
        raise ConfigurationError(f"is not UTF-8 (at line {line})") from None
    try:
        return tomllib.loads(text, parse_float=Decimal)  # prices are exact
    except (ValueError, ArithmeticError) as e:  # also numbers beyond what Python reads
        raise ConfigurationError(f"is no TOML: {_placed(str(e), text)}") from None
    except RecursionError:
        raise ConfigurationError("is no TOML: too deeply nested") from None


def _placed(message: str, text: str) -> str:
    """Return the reader's message with line and column also where it only says that the text ended."""
    lines = text.split("\n")
    return message.replace("at end of document", f"at line {len(lines)}, column {len(lines[-1]) + 1}, the end")
