"""Stages in Python, run by the command `qsohost`, which starts an interpreter."""

import os
import signal
import subprocess
import sys
import time

import pytest

from scripted import COMMAND, FIT, RESULTS, SOURCE, chain, chain_text, command, write
from test_stages import BATCH_FIT, CURVE_FIT


def test_inspect_and_list(tmp_path):
    chain(tmp_path, CURVE_FIT, FIT)
    shown = command(tmp_path, "--plugin", "my.py", "inspect", "my-fit")
    assert shown.returncode == 0, shown.stderr
    assert "my-fit (Fitter)\n  Half the range, and epochs above a limit\n  from plugin my " in shown.stdout
    assert "serial: one batch at a time" in shown.stdout
    assert "mag; 0 to 40" in shown.stdout and "my-fit.<groups>.amplitude" in shown.stdout
    assert "my-fit" in command(tmp_path, "--plugin", "my.py", "list").stdout


def test_run_and_check(tmp_path):
    chain(tmp_path, CURVE_FIT + "print('read by', __name__)\n", FIT + RESULTS)
    assert command(tmp_path, "--chain", "chain.toml", "--check").returncode == 0
    done = command(tmp_path, "--chain", "chain.toml")
    assert done.returncode == 0, done.stderr
    assert "read by qsohost_script_my\n" in done.stdout
    assert (tmp_path / "made.run").is_dir()
    wrong = command(tmp_path, "--chain", "chain.toml", "--check", "--set", "fit.limit=50")
    assert wrong.returncode == 2 and "limit" in wrong.stderr


def test_an_error_in_a_script(tmp_path):
    chain(tmp_path, "class A(qsohost.Filter)\n", FIT)
    done = command(tmp_path, "--chain", "chain.toml", "--check")
    assert done.returncode == 2 and "my.py:3:24: SyntaxError" in done.stderr


def test_exit_of_a_script_does_not_end_the_command(tmp_path):
    script = "import sys\n@qsohost.fitter(adds=['x'])\ndef my_fit(curve): sys.exit(0)\n"
    chain(tmp_path, script, FIT)
    done = command(tmp_path, "--chain", "chain.toml")
    assert done.returncode == 1 and "my.py:5: SystemExit: 0" in done.stderr


def test_an_unknown_language_and_a_file_for_all(tmp_path):
    chain(tmp_path, BATCH_FIT, FIT)
    write(tmp_path, "my.jl", "x = 1")
    done = command(tmp_path, "--plugin", "my.jl", "inspect", "x")
    assert done.returncode == 2 and "no reader of .jl files" in done.stderr
    os.chmod(tmp_path / "my.py", 0o666)
    done = command(tmp_path, "--plugin", "my.py", "inspect", "my-fit")
    assert done.returncode == 2 and "others may write to the file" in done.stderr


def test_threads_of_a_script_do_not_hold_up_the_exit(tmp_path):
    script = """
    import threading, time
    threading.Thread(target=time.sleep, args=(1000,), daemon=False).start()
    """
    chain(tmp_path, script.replace("\n    ", "\n") + BATCH_FIT, FIT)
    begin = time.monotonic()
    assert command(tmp_path, "--chain", "chain.toml").returncode == 0
    assert time.monotonic() - begin < 60


@pytest.mark.parametrize("module", ["numpy", "scipy.optimize", "astropy.table", "ssl"])
def test_extension_modules(tmp_path, module):
    chain(tmp_path, f"import {module}\n" + BATCH_FIT, FIT)
    done = command(tmp_path, "--chain", "chain.toml")
    assert done.returncode == 0, done.stderr


def test_virtual_environment(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", tmp_path / "venv"], check=True)
    chain(tmp_path, "import sys\nprint('prefix', sys.prefix)\n" + BATCH_FIT, FIT)
    done = command(tmp_path, "--chain", "chain.toml", "--check", VIRTUAL_ENV=str(tmp_path / "venv"))
    assert f"prefix {tmp_path}/venv\n" in done.stdout, done.stderr
    done = command(tmp_path, "--chain", "chain.toml", "--check", VIRTUAL_ENV=str(tmp_path))
    assert done.returncode == 2 and "no environment of Python 3.11" in done.stderr


def test_interrupt(tmp_path):
    script = """
    import time
    @qsohost.fitter(adds=["x"])
    def my_fit(curve):
        print("fit", curve.source_id)
        time.sleep(0.05)
        return curve.mag[0]
    """
    chain(tmp_path, script.replace("\n    ", "\n"), FIT + RESULTS, batch_rows=2)
    text = (tmp_path / "chain.toml").read_text().replace('use = "made"\n', 'use = "made"\ncount = 200\n')
    (tmp_path / "chain.toml").write_text(text)
    running = subprocess.Popen([COMMAND, "--chain", "chain.toml"], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)  # fmt: skip
    assert running.stdout.readline().startswith("fit 0")  # line by line
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=30)
    assert running.returncode == 130, error
    assert 1 <= out.count("fit ") < 150
    assert command(tmp_path, "--chain", "chain.toml", "--resume").returncode == 0


@pytest.mark.parametrize("kind", ["fitter", "filter", "source"])
def test_new(tmp_path, kind):
    made = command(tmp_path, "new", kind, "--python", f"my-{kind}")
    assert made.returncode == 0, made.stderr
    folder = tmp_path / f"my-{kind}"
    tested = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=folder, text=True,
                            capture_output=True)  # fmt: skip
    assert tested.returncode == 0, tested.stdout
    done = command(folder, "--chain", "chain.toml")
    assert done.returncode == 0, done.stderr
    assert list((folder / f"my-{kind}.run").glob("*.fits"))
    inspected = command(folder, "--plugin", f"my_{kind}.py", "inspect", f"my-{kind}")
    assert inspected.returncode == 0, inspected.stderr


def test_new_refuses_what_python_has_not(tmp_path):
    assert command(tmp_path, "new", "sink", "--python", "my-sink").returncode == 2
