"""A SLURM of one machine for a test: munge, slurmctld and two nodes n1 and n2, without systemd, in a
folder of its own, on free ports, stopped by their pids. No accounting, as on many small clusters.

    with Slurm() as slurm:
        slurm.run("sbatch", "script")
        slurm.wait("12")
"""

import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from postgres import free_port  # noqa: E402

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
CONFIG = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/completed
JobRequeue=1
KillWait=2
MaxArraySize={array_size}
ReturnToService=2
SlurmdTimeout=10
SchedulerParameters=sched_interval=1,batch_sched_delay=0
{nodes}
PartitionName=all Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP
"""


def why_not():
    """Why no SLURM can be started here; "": it can."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [p for p in PROGRAMS if not shutil.which(p, path=path)]
    if missing:
        return f"no {', '.join(missing)} here (Debian: slurm-wlm, munge)"
    return ""


class Slurm:
    def __init__(self, array_size=1001):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="qso-slurm-"))
        self.processes = []
        self.commands = []  # that may still run
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("SLURM_")} | {
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
        }
        self.array_size = array_size

    def __enter__(self):
        try:
            self.configure()
            self.start_programs()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # Jobs first: a slurmd that is gone leaves its programs running.
        if len(self.processes) > 1:
            self.cancel_all()
        for process in [*self.commands, *reversed(self.processes)]:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def cancel_all(self):
        user = pwd.getpwuid(os.getuid()).pw_name
        self.run("scancel", "--user=" + user, check=False)
        self.run("scancel", "--signal=KILL", "--full", "--user=" + user, check=False)
        end = time.monotonic() + 30
        while time.monotonic() < end and self.queue():
            time.sleep(0.1)

    def configure(self):
        host = socket.gethostname()
        nodes = [f"NodeName=n{i} NodeHostname={host} NodeAddr=127.0.0.1 Port={free_port()} CPUs=2"
                 for i in (1, 2)]  # fmt: skip
        (self.folder / "state").mkdir()
        (self.folder / "munge.key").write_bytes(secrets.token_bytes(128))
        (self.folder / "munge.key").chmod(0o400)
        self.folder.chmod(0o755)
        (self.folder / "slurm.conf").write_text(CONFIG.format(
            host=host, user=pwd.getpwuid(os.getuid()).pw_name, port=free_port(), folder=self.folder,
            array_size=self.array_size, nodes="\n".join(nodes)))  # fmt: skip

    def start_programs(self):
        at = self.folder
        self.spawn("munged", "--foreground", "--force", f"--key-file={at}/munge.key",
                   f"--socket={at}/munge.socket", f"--pid-file={at}/munged.pid",
                   f"--log-file={at}/munged.log", f"--seed-file={at}/munge.seed")  # fmt: skip
        self.wait_for((at / "munge.socket").exists, "munged")
        self.spawn("slurmctld", "-D")
        for node in ("n1", "n2"):
            self.spawn("slurmd", "-D", "-N", node)
        self.wait_for(self.nodes_are_idle, "the nodes")

    def spawn(self, *words):
        with open(self.folder / f"{words[0]}.out", "ab") as out:
            self.processes.append(
                subprocess.Popen(words, cwd=self.folder, env=self.environment, stdout=out, stderr=out)
            )

    def nodes_are_idle(self):
        done = self.run("sinfo", "--noheader", "--format=%D %t", check=False)
        return done.stdout.split() == ["2", "idle"]

    def wait_for(self, condition, what, on=None, patience=300):
        """`on`: called before each look."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if on:
                on()
            if condition():
                return
            if any(p.poll() is not None for p in self.processes):
                break
            time.sleep(0.2)
        logs = "\n".join(
            f"{log.name}:\n" + log.read_text(errors="replace")[-2000:]
            for log in [*self.folder.glob("*.log"), *self.folder.glob("*.out")]
        )
        raise AssertionError(f"waited in vain for {what}\n{self.queue()}\n{logs}")

    def run(self, *words, check=True):
        done = subprocess.run([*map(str, words)], env=self.environment, capture_output=True, text=True,
                              timeout=300)  # fmt: skip
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done

    def start(self, *words):
        """In the background."""
        process = subprocess.Popen(words, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.commands.append(process)

    def queue(self):
        """Tasks that are queued or run, "12_3 RUNNING n1": each task of an array on its own."""
        done = self.run("squeue", "--noheader", "--array", "--format=%i %T %N %r", check=False)
        return [line for line in done.stdout.splitlines() if line.strip()]

    def wait(self, on=None):
        """Until nothing is queued or runs."""
        self.wait_for(lambda: not self.queue(), "the jobs", on)

    def programs(self, variable):
        """The pids of what jobs run with NAME=VALUE in their environment."""
        words = {variable.encode(), f"SLURM_CONF={self.folder}/slurm.conf".encode()}
        found = set()
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if words <= set((process / "environ").read_bytes().split(b"\0")):
                    found.add(int(process.name))
            except OSError:  # ended, or another user's
                pass
        return found

    def job(self, job):
        """What `scontrol show job` says of each of its tasks: {index or "": {key: value}}."""
        text = self.run("scontrol", "--oneliner", "show", "job", job).stdout
        tasks = {}
        for line in text.splitlines():
            entry = dict(word.split("=", 1) for word in line.split() if "=" in word)
            tasks[entry.get("ArrayTaskId", "")] = entry
        return tasks
