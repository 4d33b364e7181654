"""Cassettes on disk: vcrpy's YAML, replaced whole or not at all."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from vcr.cassette import Cassette
from vcr.persisters.filesystem import CassetteNotFoundError
from vcr.request import Request
from vcr.serialize import deserialize, serialize
from vcr.serializers import yamlserializer

from core.errors import ConfigurationError

Exchanges = tuple[list[Request], list[dict[str, Any]]]


class CassetteFiles:
    """What vcrpy calls a persister."""

    @staticmethod
    def load_cassette(path: str | Path, serializer: ModuleType) -> Exchanges:
        """Return what a cassette holds.

        Raises:
            CassetteNotFoundError: there is no such file, or it is empty.
            ConfigurationError: it cannot be read, or is no cassette.
        """
        try:
            text = Path(path).read_text("utf-8")
        except FileNotFoundError:
            raise CassetteNotFoundError from None
        except OSError as e:
            raise ConfigurationError(f"the cassette {path} cannot be read ({e.strerror})") from e
        except UnicodeDecodeError as e:
            raise _no_cassette(path) from e
        if not text.strip():
            raise CassetteNotFoundError
        try:
            requests, responses, *_ = deserialize(text, serializer)
        except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError) as e:
            raise _no_cassette(path) from e
        if not all(map(_is_response, responses)):
            raise _no_cassette(path)
        return requests, responses

    @staticmethod
    def save_cassette(path: str | Path, exchanges: Mapping[str, Any], serializer: ModuleType) -> None:
        """Write a cassette beside the old one, then put it in its place.

        Raises:
            ConfigurationError: it cannot be written.
        """
        # vcrpy turns the bodies of the responses into text, in place
        responses = [{**response, "body": {**response["body"]}} for response in exchanges["responses"]]
        text = serialize({**exchanges, "responses": responses}, serializer)
        place = Path(path).resolve()
        fresh = place.with_name(f".{place.name}.{os.getpid()}")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(place)
        except OSError as e:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise ConfigurationError(f"the cassette {path} cannot be written ({e.strerror})") from e


def _no_cassette(path: str | Path) -> ConfigurationError:
    return ConfigurationError(f"{path} is no cassette: record one by `lattice serve --cassette FILE --record`")


def _is_response(response: object) -> bool:
    match response:
        case {"status": {"code": int()}, "headers": dict(), "body": {"string": bytes()}}:
            return True
    return False


def has_content(file: Path) -> bool:
    """Say whether there is a cassette with at least one exchange.

    Raises:
        ConfigurationError: there is a file, but it cannot be read or is no cassette.
    """
    try:
        requests, _ = CassetteFiles.load_cassette(file, yamlserializer)
    except CassetteNotFoundError:
        return False
    return bool(requests)


def require_content(file: Path) -> None:
    """Check that there is a cassette to play.

    Raises:
        ConfigurationError: no such file, nothing in it, or no cassette.
    """
    if not has_content(file):
        what = "holds no exchange" if file.is_file() else "does not exist"
        raise ConfigurationError(f"the cassette {file} {what}: record it first")


def require_writable(file: Path) -> None:
    """Check that a cassette can be written here, before anything is paid for.

    Raises:
        ConfigurationError: it cannot, or the file that is there is no cassette.
    """
    has_content(file)
    folder = next(parent for parent in file.resolve().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigurationError(f"the cassette {file} cannot be written: {folder} is no folder that may be written to")


@contextmanager
def saving(cassette: Cassette, every_s: float) -> Iterator[None]:
    """Write a cassette now and then while it grows, beside whatever else runs, so that a crash loses little."""
    ended = threading.Event()

    def keep_saving() -> None:
        saved = len(cassette)
        while not ended.wait(every_s):
            held = len(cassette)
            if held > saved:
                exchanges = {"requests": cassette.requests[:held], "responses": cassette.responses[:held]}
                with suppress(ConfigurationError):  # a full disk is told of at the end; until then it may mend
                    CassetteFiles.save_cassette(cassette.path, exchanges, yamlserializer)
                    saved = held

    thread = threading.Thread(target=keep_saving, name="cassette-saving", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
