"""A Postgres of one's own: started with the first process of the user that needs it, stopped with the last.

Who is in is said by locks that the kernel holds, never by lists of process ids: each process holds a shared lock on
`members`; it is gone with the process, however that ends. Whoever starts or stops the server holds `door` alone.
"""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar
from urllib.parse import quote

import psycopg
from psycopg import sql

from core.errors import ConfigurationError, StoreUnavailableError
from core.pg_errors import store_errors
from core.postmaster import MAJOR, NO_SPACE, SOCKET_NAME, init_data, is_ready, server_owner, start_server, stop_server

if sys.platform != "win32":
    import fcntl

T = TypeVar("T")

DATABASE = "lattice"
SUPERUSER = "postgres"
SOCKET_BYTES = 103  # the longest path of a socket that every Unix takes
UNSAFE = ',"$`\\\n'  # the socket's folder is part of a list with commas; pg_ctl hands paths to a shell
FREE_BYTES = 256 * 2**20  # a new data folder takes some 60 MB, its first gigabyte of WAL comes soon
DOOR_S = 900  # longer than a start with recovery
POLL_S = 0.02

# for a small machine that also computes embeddings; ALTER SYSTEM overrides each of them
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "jit": "off",
    "max_connections": "100",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class EmbeddedConfig:
    """Where the embedded Postgres keeps its data, and how it is tuned.

    Attributes:
        folder: its own folder; made if missing. The data are in `folder/data`.
        settings: server settings over `SETTINGS`.
    """

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)


class EmbeddedServer:
    """One process's share in the embedded Postgres; usable as an async context manager.

    Run as root, Postgres works as the owner of the data, at first the user "pgserver", and the folders above the data
    and the program get the right to be passed through (o+x).
    """

    def __init__(self, config: EmbeddedConfig) -> None:
        self._config = config
        self._folder = config.folder.expanduser().resolve()
        self._member: IO[bytes] | None = None

    @property
    def data(self) -> Path:
        """The data folder of Postgres."""
        return self._folder / "data"

    def uri(self, database: str = DATABASE, user: str = SUPERUSER) -> str:
        """Return the address of a database of this server."""
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={quote(str(self.data), safe='')}"

    async def start(self) -> None:
        """Come in: make the data and start the server unless that is done, make the database if it is missing.

        Raises:
            ConfigurationError: the folder or the machine does not allow it; the message says what mends it.
            StoreUnavailableError: another process starts or stops the server and does not come to an end.
        """
        try:
            await _in_thread(self._enter)
        except asyncio.CancelledError:
            await _in_thread(self._leave)
            raise

    async def stop(self) -> bool:
        """Leave; the last one stops the server. Leaving twice does nothing.

        Returns:
            whether the server was stopped.
        """
        return await _in_thread(self._leave)

    async def ensure_running(self) -> None:
        """Start the server again if it was killed; costs two small reads if it was not.

        Raises:
            ConfigurationError, StoreUnavailableError: as `start`.
        """
        if self._member is not None and not is_ready(self.data):
            await _in_thread(self._restart)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _enter(self) -> None:
        if self._member is not None:
            return
        with self._folder_errors():
            self._check_place()
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._door(), ExitStack() as undo:
                member = undo.enter_context((self._folder / "members").open("ab"))
                fcntl.flock(member, fcntl.LOCK_SH)
                self._run()
                undo.pop_all()
                self._member = member

    def _leave(self) -> bool:
        if self._member is None:
            return False
        with self._folder_errors(), self._door():
            member, self._member = self._member, None
            with member:
                try:
                    fcntl.flock(member, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                stop_server(self.data, server_owner(self.data))
                return True

    def _restart(self) -> None:
        with self._folder_errors(), self._door():
            if self._member is not None:
                self._run()

    def _run(self) -> None:
        self._check_data()
        owner = server_owner(self.data)
        if not self.data.exists():
            self._check_room()
            init_data(self.data, owner)
        if not is_ready(self.data):
            place = ("unix_socket_directories", f'"{self.data}"')
            start_server(self.data, owner, [*{**SETTINGS, **self._config.settings}.items(), place])
        self._ensure_database()

    def _check_place(self) -> None:
        if sys.platform == "win32":
            raise ConfigurationError(
                "the embedded Postgres runs on Linux and macOS: on Windows use WSL, or set LATTICE_DATABASE_URL"
            )
        excess = len(os.fsencode(self.data / SOCKET_NAME)) - SOCKET_BYTES
        if excess > 0:
            raise ConfigurationError(
                f"the path of {self._folder} is {excess} bytes too long for the socket of the embedded Postgres: "
                "choose a shorter one by LATTICE_DATA_DIR"
            )
        if set(str(self._folder)) & set(UNSAFE):
            raise ConfigurationError(f'the path {self._folder} must not hold any of , " $ ` \\ or line breaks')

    def _check_data(self) -> None:
        try:
            found = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            if self.data.exists():
                raise ConfigurationError(f"{self.data} holds no data of Postgres: move it away") from None
            return
        if found != str(MAJOR):
            raise ConfigurationError(
                f"{self.data} was made by Postgres {found}, this version brings Postgres {MAJOR}: dump it with the "
                "version that made it, move the folder away and load the dump, or choose another LATTICE_DATA_DIR"
            )

    def _check_room(self) -> None:
        free = shutil.disk_usage(self._folder).free
        if free < FREE_BYTES:
            raise ConfigurationError(
                f"the disk is full: {self._folder} has {free // 2**20} MB left, a new lattice needs "
                f"{FREE_BYTES // 2**20} MB"
            )

    def _ensure_database(self) -> None:
        with store_errors(), psycopg.connect(self.uri(SUPERUSER), autocommit=True) as conn:
            found = conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if found is None:
                conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    @contextmanager
    def _door(self) -> Iterator[None]:
        with (self._folder / "door").open("ab") as door:
            deadline = time.monotonic() + DOOR_S
            while True:
                try:
                    fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise StoreUnavailableError(
                            f"another process starts or stops the embedded Postgres in {self._folder} and does not end"
                        ) from None
                    time.sleep(POLL_S)
            yield

    @contextmanager
    def _folder_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            reason = e.strerror or str(e)
            advice = "make room" if reason == NO_SPACE else "choose another by LATTICE_DATA_DIR, or mend its rights"
            raise ConfigurationError(f"the data folder {self._folder} cannot be used ({reason}): {advice}") from e


async def _in_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a thread; if cancelled, first let it come to its end: nothing is left half done."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
