"""What surrounds a process: imports, forks, its end, versions."""

import os
import shutil
import subprocess
import sys

import pytest

import qsohost

HERE = os.path.dirname(__file__)


def python(code, **environment):
    return subprocess.run([sys.executable, "-c", code], cwd=HERE, env=os.environ | environment, text=True,
                          capture_output=True, timeout=60)


@pytest.mark.parametrize("imports", ["import qsohost, numpy, matplotlib.pyplot",
                                     "import numpy, matplotlib.pyplot, qsohost",
                                     "import qsohost.plot, qsohost"])
def test_order_of_imports(imports):
    code = imports + "; import conftest; print(qsohost.fit(*conftest.curve(1)).n_epochs)"
    done = python(code, MPLBACKEND="Agg")
    assert (done.stdout, done.returncode) == ("60\n", 0), done.stderr


def test_astropy_pandas_and_matplotlib_are_not_needed():
    code = """
import sys
for name in ("astropy", "pandas", "matplotlib"): sys.modules[name] = None
import qsohost, conftest
batches = list(qsohost.Chain(conftest.CHAIN, conftest.objects(3)).stream())
print(len(batches), qsohost.fit(*conftest.curve(1)).n_epochs)
try: qsohost.plot
except ImportError: print("no plot")
"""
    assert python(code).stdout == "1 60\nno plot\n"


def test_a_forked_child_is_refused():
    code = """
import os, qsohost, conftest
curve = conftest.curve(1)
qsohost.fit_many([curve] * 20)
calls = {"fit": lambda: qsohost.fit(*curve), "fit_many": lambda: qsohost.fit_many([curve] * 2),
         "run": lambda: qsohost.Chain(conftest.CHAIN, conftest.objects(1)).run("never.run"),
         "stream": lambda: next(qsohost.Chain(conftest.CHAIN, conftest.objects(1)).stream())}
for name, call in calls.items():
    child = os.fork()
    if child == 0:
        try: call()
        except RuntimeError as error: os._exit(0 if "spawn" in str(error) else 2)
        os._exit(1)
    print(name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert python(code).stdout == "fit 0\nfit_many 0\nrun 0\nstream 0\n"


def test_a_child_ends_though_its_parent_has_a_stream_open():
    code = """
import os, sys, qsohost, conftest
batches = qsohost.Chain(conftest.CHAIN, conftest.objects(100)).stream(5)
next(batches)
child = os.fork()
if child == 0: sys.exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(list(batches)))
"""
    assert python(code).stdout == "7 19\n"


def test_spawned_processes_work():
    script = ("import multiprocessing as m, test_process, conftest, qsohost\n"
              "if __name__ == '__main__':\n"
              "    with m.get_context('spawn').Pool(2) as pool: taus = pool.map(test_process.log_tau, [1, 2])\n"
              "    print(taus == [test_process.log_tau(1), test_process.log_tau(2)])")
    assert python(script).stdout == "True\n"


def log_tau(seed):
    from conftest import curve

    return qsohost.fit(*curve(seed)).log_tau


def test_a_process_ends_with_a_stream_open():
    code = """
import qsohost, conftest
batches = qsohost.Chain(conftest.CHAIN, conftest.objects(100)).stream(5)
print(len(next(batches)))
"""
    done = python(code)
    assert (done.stdout, done.stderr, done.returncode) == ("5\n", "", 0)


def test_another_version_of_the_library_is_refused(tmp_path):
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("no g++")
    shim = tmp_path / "shim.cpp"
    shim.write_text('namespace qsohost::inline v1 { const char* library_version() { return "9.9.9"; } }')
    library = tmp_path / "shim.so"
    subprocess.run([compiler, "-std=c++20", "-shared", "-fPIC", shim, "-o", library], check=True)
    done = python("import qsohost", LD_PRELOAD=str(library))
    assert done.returncode != 0
    assert qsohost.__version__ in done.stderr and "9.9.9" in done.stderr


def test_no_signal_handlers_are_installed():
    code = """
import signal, qsohost, conftest
before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGSEGV)]
list(qsohost.Chain(conftest.CHAIN, conftest.objects(3)).stream())
status = [line for line in open("/proc/self/status") if line.startswith("SigCgt")][0].split()[1]
print(before == [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGSEGV)], int(status, 16) >> 10 & 1)
"""
    assert python(code).stdout == "True 0\n"
