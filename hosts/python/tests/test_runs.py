import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from astropy.io import fits

import qsohost
from conftest import CHAIN, large, objects


def test_tables_equal_the_fits_products_bit_for_bit(finished):
    assert sorted(finished.tables) == ["loo_ztf_g", "loo_ztf_r", "ztf_lc"]
    for name in finished.tables:
        table = finished.tables[name]
        expected = fits.getdata(table.file, 1)
        assert list(table) == list(expected.names)
        for column in table:
            ours, theirs = table.numpy()[column], expected[column]
            if ours.dtype != object:
                assert ours.tobytes() == theirs.astype(ours.dtype).tobytes(), column
            elif isinstance(ours[0], str):
                assert list(ours) == list(theirs)
            else:
                assert all(a.tobytes() == b.astype(a.dtype).tobytes() for a, b in zip(ours, theirs)), column


def test_a_table_is_found_by_its_extension(finished):
    assert finished.tables["loo.ztf.g"].file == finished.tables["loo_ztf_g"].file
    with pytest.raises(KeyError, match="there are: loo_ztf_g, loo_ztf_r, ztf_lc"):
        finished.tables["loo.ztf.i"]


def test_astropy_and_pandas(finished):
    table = finished.tables["loo.ztf.g"]
    by_astropy = table.to_astropy()
    assert by_astropy["baseline"].unit == "d"
    assert by_astropy["log_tau_post"].description == "ln of tau in d, epochs kept; rest frame"
    assert np.shares_memory(by_astropy["log_tau_post"], table["log_tau_post"])
    assert "chain.name = made" in "\n".join(by_astropy.meta["history"])
    by_pandas = table.to_pandas()
    assert list(by_pandas["source_id"]) == [10**17 + i for i in range(20)]
    assert list(by_pandas["removed_mjd"][0]) == list(table["removed_mjd"][0])


def test_missing_integers_stay_missing(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("source_id,n\n1,5\n2,\n")
    table = qsohost.read_table(file)
    assert list(table.to_astropy()["n"].mask) == [False, True]
    assert list(table.to_pandas()["n"].isna()) == [False, True]


def test_products_equal_the_stream(source, finished):
    chain = qsohost.Chain(CHAIN, source)
    streamed = np.concatenate([batch["loo.ztf.g.log_tau_post"] for batch in chain.stream(3)])
    assert streamed.tobytes() == finished.tables["loo.ztf.g"]["log_tau_post"].tobytes()


def test_a_run_can_be_opened(finished):
    run = qsohost.open(finished.run_dir)
    assert run.status["chain"] == "made"
    assert run.status["finished"]
    assert run.status["objects"] == 20
    assert run.report is None and finished.report["end"] == "done"
    assert "finished, 20 objects" in repr(run)
    with pytest.raises(qsohost.UsageError):
        qsohost.open("/")


def test_outcomes_name_objects_that_could_not_be_fitted(tmp_path):
    (tmp_path / "made.csv").write_text("source_id,ra,dec\n1,10,0\n2,20,0\n")
    (tmp_path / "1.csv").write_text("oid,mjd,mag,magerr,catflags,filtercode\n7,58000,19,0.1,0,zg\n")
    chain = qsohost.Chain(f"""
[chain]
name = "files"
[[stage]]
use = "catalog-source"
path = "{tmp_path}/made.csv"
[[stage]]
use = "ztf-files"
path = "{tmp_path}/{{source_id}}.csv"
""")
    run = chain.run(tmp_path / "run", progress=False)
    assert run.outcomes.summary()["ztf-files"]["not_found"] + run.outcomes.summary()["ztf-files"]["failed"] >= 1
    lost = run.outcomes.not_found + run.outcomes.failed + run.outcomes.bad
    assert "2" in [o.source_id for o in lost]
    assert all(o.stage == "ztf-files" and o.reason for o in lost)


def test_problems_have_places(tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_text('[chain]\nname = "w"\n[[stage]]\nuse = "catalog-source"\npth = "x.csv"\n[[stage]]\nuse = "ou-lo"\n')
    problems = qsohost.Chain(file).check()
    assert [(p.file, p.line, p.column) for p in problems if "ou-lo" in p.message] == [(str(file), 7, 7)]
    assert any("did you mean 'ou-loo'" in p.message for p in problems)
    with pytest.raises(qsohost.ChainError) as raised:
        qsohost.Chain(file).run(tmp_path / "w.run")
    assert len(raised.value.problems) == len(problems)
    assert not (tmp_path / "w.run").exists()
    text = qsohost.Chain(file.read_text()).check()
    assert [p.line for p in text] == [p.line for p in problems]


def test_set_and_swap(source):
    chain = qsohost.Chain(CHAIN, source).set("loo.max_passes", 3).set("loo.mean", "profiled")
    assert "loo.max_passes = 3" in chain.effective() and 'loo.mean = "profiled"' in chain.effective()
    swapped = qsohost.Chain(CHAIN, source).swap("loo", "ou-fit")
    assert ("loo", "ou-fit", "Fitter") in swapped.stages
    assert [p.line for p in qsohost.Chain(CHAIN, source).set("loo.nothing", 1).check()] == [0]


def test_a_failing_run_raises(tmp_path, source):
    chain = qsohost.Chain(CHAIN, source).set("chain.name", "other")
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises((qsohost.RunError, qsohost.UsageError), match="file"):
        chain.run(blocked / "run", progress=False)


def test_progress_comes_to_python(tmp_path):
    seen = []
    large(200).run(tmp_path / "r", progress=lambda *facts: seen.append(facts))
    assert seen and all(total == 200 for _, total, *_ in seen)
    assert [done for done, *_ in seen] == sorted(done for done, *_ in seen)


def test_a_log_file(tmp_path):
    large(200).run(tmp_path / "r", progress=False, log_file=tmp_path / "run.log", stall_timeout=0)
    with pytest.raises(qsohost.UsageError):
        large(200).run(tmp_path / "r", progress=False, log_file=tmp_path / "run.log")
    lines = (tmp_path / "run.log").read_text().splitlines()
    assert "run directory " in lines[0] and lines[0].split()[1] == "info"
    assert any("Z info done: 200 objects, 200 of them now, in " in line for line in lines)
    assert "holds a run already" in lines[-1] and lines[-1].split()[1] == "error"


def test_a_ledger_that_is_none_is_refused_and_left_alone(tmp_path):
    large(200).run(tmp_path / "r", progress=False)
    ledger = tmp_path / "r/.qsohost/run.db"
    ledger.write_bytes(b"something else")
    for read in (qsohost.open, lambda run: large(200).run(run, resume=True)):
        with pytest.raises(qsohost.RunError, match="run.db.*restore it from a copy"):
            read(tmp_path / "r")
    assert ledger.read_bytes() == b"something else"


def test_log_lines_and_warnings_come_to_the_logger(source, caplog):
    list(qsohost.Chain('[chain]\nname = "n"\n[[stage]]\nuse = "arrays"\n', source).stream())
    (line,) = [r for r in caplog.records if r.name == "qsohost"]
    assert line.levelname == "WARNING" and "no Sink" in line.message


def test_a_progress_function_that_raises_stops_the_run(tmp_path):
    def bad(*_):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        large(4000).run(tmp_path / "r", progress=bad)
    assert qsohost.open(tmp_path / "r").status["objects"] < 4000


def test_two_runs_in_one_process(tmp_path, source, finished):
    results = {}

    def work(name):
        results[name] = qsohost.Chain(CHAIN, source).run(tmp_path / name, progress=False)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for run in (*results.values(), qsohost.Chain(CHAIN, source).run(tmp_path / "c", progress=False)):
        for name in ("loo.ztf.g", "ztf_lc"):
            with open(run.tables[name].file, "rb") as ours, open(finished.tables[name].file, "rb") as theirs:
                assert ours.read() == theirs.read()


def test_python_goes_on_during_a_run(tmp_path):
    ticks, running = [], True

    def tick():
        while running:
            ticks.append(time.monotonic())
            time.sleep(0.01)

    thread = threading.Thread(target=tick)
    thread.start()
    begin = time.monotonic()
    large(150).run(tmp_path / "r", progress=False)
    seconds = time.monotonic() - begin
    running = False
    thread.join()
    assert len(ticks) > 10 * seconds  # 100 a second on an idle machine


INTERRUPTED = """
import sys, conftest, qsohost
sys.stdout.write("ready\\n")
def tell(done, *_):
    if done: print("going", flush=True)
try:
    conftest.large(4000).run(sys.argv[1], progress=tell)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_leaves_a_run_that_can_be_resumed(tmp_path):
    run_dir = tmp_path / "r"
    process = subprocess.Popen([sys.executable, "-u", "-c", INTERRUPTED, str(run_dir)], stdout=subprocess.PIPE,
                               cwd=os.path.dirname(__file__), text=True)
    for line in process.stdout:
        if line == "going\n":
            process.send_signal(signal.SIGINT)
            break
    rest = process.stdout.read()
    assert process.wait() == 0
    assert rest.endswith("interrupted\n")
    done = qsohost.open(run_dir).status["objects"]
    assert 0 < done < 4000
    chain = large(4000)
    with pytest.raises(qsohost.UsageError, match="resume"):
        chain.run(run_dir)
    with pytest.raises(qsohost.UsageError, match="array"):
        large(3999).run(run_dir, resume=True)
    run = chain.run(run_dir, progress=False, resume=True)
    assert run.status["finished"]
    assert len(run.tables["loo.ztf.g"]["z"]) == 4000


def test_leaving_a_stream_early_stops_its_run():
    with qsohost.Chain(CHAIN, objects(500)).stream(10) as batches:
        first = next(batches)
        begin = time.monotonic()
    assert time.monotonic() - begin < 5
    assert len(first) == 10
    with pytest.raises(StopIteration):
        next(batches)


def test_a_stream_waits_for_who_takes_it():
    batches = qsohost.Chain(CHAIN, objects(60)).stream(1, threads=1)
    next(batches)
    time.sleep(0.3)
    read = [batch.ordinal for batch in batches]
    assert read == list(range(1, 60))
