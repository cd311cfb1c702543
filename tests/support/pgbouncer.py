"""A pgbouncer of its own for a test, before a server of postgres.py: its clients share a few sessions
of the server, and have one only during a transaction.

    with Pgbouncer(server, sessions=3) as pool:
        pool.dsn
"""

import pathlib
import shutil
import subprocess
import tempfile
import time

import postgres


def program():
    """None where it is not installed."""
    return shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")


class Pgbouncer:
    def __init__(self, server, sessions):
        self.server = server
        self.port = postgres.free_port()
        self.dsn = server.dsn.replace(f"port={server.port}", f"port={self.port}")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="qso-pgbouncer-"))
        settings = self.folder / "settings.ini"
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port} user=tester\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = any\npool_mode = transaction\ndefault_pool_size = {sessions}\n"
        )
        self.folder.chmod(0o755)
        self.command = [program(), settings]

    def __enter__(self):
        # Like the server, it refuses to run as root.
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, **self.server.user)
        for _ in range(600):
            ready = subprocess.run([self.server.bin / "pg_isready", "-q", "-d", self.dsn], check=False)
            if ready.returncode == 0:
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        text = (self.folder / "log").read_text()
        self.__exit__()
        raise AssertionError(text)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=60)
        shutil.rmtree(self.folder, ignore_errors=True)
