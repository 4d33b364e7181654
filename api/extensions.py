"""The folder of extensions that the settings name, in use wherever this application works."""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.settings import PREFIX, Settings
from core.errors import ConfigurationError
from core.extension_folder import ExtensionFolder, use, using

if TYPE_CHECKING:  # the command line uses this module too, and shall not wait for the framework
    from litestar.types import ASGIApp, Receive, Scope, Send


class ExtensionsInUse:
    """The extensions of one application.

    Args:
        settings: of the application; nothing is read before it starts.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = _folder_of(settings)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Have them at hand while the application is started, runs and is stopped; close them then.

        Raises:
            ConfigurationError: the setting names no folder.
        """
        _require(self._folder)
        try:
            with using(self._folder):
                yield
        finally:
            if self._folder is not None:
                self._folder.close()

    def around(self, app: "ASGIApp") -> "ASGIApp":
        """Return an application whose requests have them at hand."""

        async def answer(scope: "Scope", receive: "Receive", send: "Send") -> None:
            with using(self._folder):
                await app(scope, receive, send)

        return answer


def use_extensions(settings: Settings) -> None:
    """Have the extensions at hand from now on: for a command that runs once.

    Raises:
        ConfigurationError: the setting names no folder.
    """
    folder = _folder_of(settings)
    _require(folder)
    use(folder)
    if folder is not None:
        atexit.register(folder.close)


def _folder_of(settings: Settings) -> ExtensionFolder | None:
    path = settings.extensions_dir
    return None if path is None else ExtensionFolder(path.expanduser().absolute())


def _require(folder: ExtensionFolder | None) -> None:
    if folder is None:
        return
    try:
        _ = folder.offers  # reads the manifests
    except ConfigurationError as e:
        raise ConfigurationError(f"{PREFIX}EXTENSIONS_DIR: {e.message}") from None
