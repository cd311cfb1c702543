"""A PostgreSQL server of its own for a test: on loopback and a socket, on a free port, in a folder of
its own, as an unprivileged user, stopped by its pid.

    with Postgres() as server:
        server.dsn            # libpq connection string
        server.query("SELECT 1")
"""

import glob
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time


def programs():
    """Where initdb and postgres are, or None."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    return pathlib.Path(found[-1]).parent if found else None


def has_q3c():
    return bool(glob.glob("/usr/share/postgresql/*/extension/q3c.control"))


def free_port():
    """Outside of the range from which the system takes ports of its own accord: nobody is given it
    while the server is not running. PostgreSQL cannot choose one by itself."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Postgres:
    def __init__(self):
        self.bin = programs()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="qso-postgres-"))
        self.port = free_port()
        self.process = None
        # The server refuses to run as root.
        self.user = {}
        if os.getuid() == 0:
            other = pwd.getpwnam("postgres")
            os.chown(self.folder, other.pw_uid, other.pw_gid)
            self.user = {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}
        self.dsn = f"host=127.0.0.1 port={self.port} user=tester dbname=postgres"

    def __enter__(self):
        try:
            self.run("initdb", "-D", self.folder / "data", "-U", "tester", "-A", "trust",
                     "--locale=C", "-E", "UTF8", "--no-sync")  # fmt: skip
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program, *args):
        done = subprocess.run([self.bin / program, *map(str, args)], cwd=self.folder, text=True,
                              capture_output=True, env=self.environment(), **self.user)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @staticmethod
    def environment():
        return {k: v for k, v in os.environ.items() if not k.startswith("PG")}

    def start(self):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [self.bin / "postgres", "-D", self.folder / "data", "-p", str(self.port),
             "-h", "127.0.0.1", "-k", self.folder, "-F", "-c", "max_wal_size=4GB"],
            cwd=self.folder, stdout=self.log, stderr=self.log, env=self.environment(), **self.user,
        )  # fmt: skip
        for _ in range(3000):
            ready = subprocess.run(
                [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
            )
            if ready.returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text())

    def start_again(self):
        """After a kill: sessions that have not yet seen it keep the next server from starting."""
        for _ in range(100):
            try:
                return self.start()
            except AssertionError as error:
                why = error
                self.stop()
                time.sleep(0.1)
        raise why

    def stop(self, how=signal.SIGINT):  # SIGINT: fast; SIGKILL: as a crash
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(timeout=300)
        self.process = None
        self.log.close()

    def query(self, sql):
        """Rows of texts, NULL as None."""
        done = subprocess.run(
            ["psql", "-X", "-A", "-t", "-F", "\t", "-P", "null=\\N", "-v", "ON_ERROR_STOP=1",
             "-d", self.dsn, "-c", sql],
            capture_output=True, text=True, env=self.environment(), check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        return [[None if cell == "\\N" else cell for cell in row] for row in rows]
