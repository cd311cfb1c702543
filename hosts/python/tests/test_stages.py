"""Stages in Python, run by the module: kinds, options, errors, memory."""

import re

import numpy as np
import pytest

import qsohost
from scripted import FIT, RESULTS, batches, chain, column, write

CURVE_FIT = """
class MyFit(qsohost.Fitter):
    '''Half the range, and epochs above a limit.'''
    adds = [qsohost.Out("amplitude", unit="mag", help="half the range"), qsohost.Out("n_faint", "i32")]
    min_points = 3
    limit = qsohost.Option(19.5, "mag", help="faint from here on", min=0, max=40)

    def fit(self, curve):
        assert len(curve) == 20 and curve.group == "mine.g" and curve["z"] == curve.z == 1
        return {"n_faint": np.sum(curve.mag > self.limit), "amplitude": np.ptp(curve.mag) / 2}
"""
BATCH_FIT = """
class MyFit(qsohost.Fitter):
    adds = [qsohost.Out("mean")]

    def fit_batch(self, batch, group):
        return np.add.reduceat(group.mag, group.offsets[:-1].astype(int)) / np.diff(group.offsets)
"""
MEANS = 19 + 0.1 * np.arange(10) + np.mean(np.sin(np.arange(20)))


def test_fitter_of_curves(tmp_path):
    made = chain(tmp_path, CURVE_FIT, FIT + "limit = 19.25\n")
    found = batches(made)
    amplitude = np.ptp(np.sin(np.arange(20))) / 2
    np.testing.assert_allclose(column(found, "fit.mine.g.amplitude"), amplitude)
    faint = [(19 + 0.1 * i + np.sin(np.arange(20)) > 19.25).sum() for i in range(10)]
    assert column(found, "fit.mine.g.n_faint").tolist() == faint
    # As of fitters in C++: rest frame, flags.
    assert column(found, "fit.mine.g.baseline")[0] == 19 / 2
    assert column(found, "fit.mine.g.flags").tolist() == [0] * 10
    assert found[0].objects.info("fit.mine.g.amplitude").unit == "mag"


def test_fitter_of_batches(tmp_path):
    found = batches(chain(tmp_path, BATCH_FIT, FIT))
    np.testing.assert_allclose(column(found, "fit.mine.g.mean"), MEANS)


def test_functions(tmp_path):
    script = """
    @qsohost.filter(needs=["mag"])
    def bright(epochs):
        return epochs["mag"] < 19.5

    @qsohost.fitter(adds=["faintest"])
    def my_fit(curve):
        return curve.mag.max()
    """
    made = chain(tmp_path, script, '[[stage]]\nuse = "bright"\ngroups = ["mine.g"]\n' + FIT)
    found = batches(made)
    assert 19 < column(found, "fit.mine.g.faintest").max() < 19.5


def test_filter_of_objects(tmp_path):
    script = """
    class Even(qsohost.Filter):
        z = qsohost.In("z")
        def apply(self, batch):
            assert np.all(self.z(batch) == 1) and self.label == "even"
            return batch["source_id"] % 2 == 0
    """
    found = batches(chain(tmp_path, script, '[[stage]]\nuse = "even"\n'))
    assert column(found, "source_id").tolist() == [0, 2, 4, 6, 8]
    assert all(len(batch["mine.g"]) == len(batch) for batch in found)


FETCHER = """
class Fetch(qsohost.Fetcher):
    adds = [qsohost.LightCurves("other.r", more=[qsohost.Out("flag", int)])]

    def fetch(self, batch):
        return [self.one(i) for i in batch["source_id"]]

    def one(self, i):
        if i == 1: return None
        if i == 2: return qsohost.TryAgain("too busy")
        if i == 3: return qsohost.BadObject("cannot be read")
        times = np.arange(float(i))
        return {"other.r": {"mjd": times, "mag": times + 20, "mag_err": times * 0 + 0.1, "flag": [7] * int(i)}}
"""


def test_fetcher_and_outcomes(tmp_path):
    made = chain(tmp_path, FETCHER, '[[stage]]\nuse = "fetch"\n')
    run = made.run(tmp_path / "run", progress=False)
    summary = run.outcomes.summary()["fetch"]
    assert summary == {"matched": 7, "not_found": 1, "failed": 1, "bad": 1}
    found = batches(made)
    assert np.concatenate([np.diff(batch["other.r"].offsets) for batch in found]).tolist() == [0, 0, 0, 0, *range(4, 10)]
    assert found[1]["other.r"][0]["epoch_id"].tolist() == [0, 1, 2, 3]
    assert set(column(found[1:], "source_id")) == {4, 5, 6, 7, 8, 9}


def test_a_fetcher_without_an_answer_is_asked_again(tmp_path):
    script = FETCHER.replace("return [self.one(i)", "raise qsohost.TryAgain('no network')\n        return [self.one(i)")
    run = chain(tmp_path, script, '[[stage]]\nuse = "fetch"\n').run(tmp_path / "run", progress=False)
    assert run.outcomes.summary()["fetch"]["failed"] == 10


OPTIONS = """
from pathlib import Path
class Opts(qsohost.Filter):
    '''Shows options.'''
    yes = qsohost.Option(True, help="a bool")
    number = qsohost.Option(3, help="an integer", min=1, max=5)
    depth = qsohost.Option(0.5, "mag")
    word = qsohost.Option("all", choices=["all", "none"])
    file = qsohost.Option(Path("x.txt"))
    words = qsohost.Option(["a"])
    pair = qsohost.Option([1.0, 2.0], length=2)
    files = qsohost.Option([], type=list[Path])
    needed = qsohost.Option(type=int, help="no default")
    def apply(self, batch):
        print(self.yes, self.number, self.depth, self.word, self.file, self.words, self.pair, self.files, self.needed)
"""


def test_options(tmp_path, capfd):
    stage = '[[stage]]\nuse = "opts"\nneeded = 4\nfiles = ["a", "/b"]\nword = "none"\ndepth = 2\n'
    batches(chain(tmp_path, OPTIONS, stage, batch_rows=10).set("chain.batch_rows", 10))
    line = capfd.readouterr().out.splitlines()[0]
    paths = f"[PosixPath('{tmp_path}/a'), PosixPath('/b')]"
    assert line == f"True 3 2.0 none x.txt ['a'] [1.0, 2.0] {paths} 4"


@pytest.mark.parametrize(("setting", "message"), [
    ("needed = 4\nnumber = 9", "number"), ("needed = 4\nnumber = 1.5", "number"), ("needed = 'x'", "needed"),
    ("needed = 4\nword = 'some'", "word"), ("needed = 4\npair = [1.0]", "pair"), ("", "needed"),
    ("needed = 4\nnumbr = 2", "numbr"),
])  # fmt: skip
def test_wrong_options(tmp_path, setting, message):
    problems = chain(tmp_path, OPTIONS, f'[[stage]]\nuse = "opts"\n{setting}\n').check()
    errors = [p for p in problems if not p.is_warning]
    assert len(errors) == 1 and message in errors[0].message
    assert errors[0].file.endswith("chain.toml") and errors[0].line >= 7 and errors[0].column >= 1


def test_ports_are_checked(tmp_path):
    script = """
    class Reads(qsohost.Filter):
        extinction = qsohost.In("extinction", unit="mag", help="of the Galaxy")
        def apply(self, batch): pass
    """
    [problem] = [p for p in chain(tmp_path, script, '[[stage]]\nuse = "reads"\n').check() if not p.is_warning]
    assert "extinction" in problem.message
    [problem] = [p for p in chain(tmp_path, CURVE_FIT, FIT.replace("mine.g", "mine.r")).check() if not p.is_warning]
    assert "mine.r" in problem.message


def reasons(run) -> list[str]:
    return [line[-1] for line in qsohost._core.objects_of(run.run_dir, qsohost._core.Outcome.BAD)]


def test_an_exception_in_fit_is_the_outcome_of_the_object(tmp_path):
    script = """
    class MyFit(qsohost.Fitter):
        adds = [qsohost.Out("x"), qsohost.Out("n", int)]
        def fit(self, curve):
            if curve.source_id == 2: return self.divide(0)
            if curve.source_id == 3: raise qsohost.BadObject("no maximum")
            if curve.source_id == 4: return {"x": "text", "n": 1}
            if curve.source_id == 5: return 1.0
            if curve.source_id == 6: return {"x": 1.0, "n": 1, "y": 2}
            if curve.source_id == 7: return None
            if curve.source_id == 8: return 1.0, 2.5
            return [float(curve.source_id), 1]
        def divide(self, by):
            return 1 / by
    """
    run = chain(tmp_path, script, FIT + RESULTS).run(tmp_path / "run", progress=False)
    bad = reasons(run)
    my = re.escape(str(tmp_path / "my.py"))
    assert len(bad) == 6
    assert re.fullmatch(my + r":16: ZeroDivisionError: division by zero", bad[0])
    assert bad[1] == "no maximum"
    assert "TypeError: x: values of type <U4" in bad[2] and "the 2 results" in bad[3] and "'y'" in bad[4]
    assert "TypeError: n: values of type float64 cannot be int64" in bad[5]
    table = run.tables["fit.mine.g"]
    x = table["x"]
    assert np.isnan(x[2:9]).all() and x[[0, 1, 9]].tolist() == [0, 1, 9]
    assert table["flags"][7] == 8  # the fit did not converge


CALLBACKS = {
    "apply": ("class Bad(qsohost.Filter):\n    def apply(self, batch):\n        {}\n", '[[stage]]\nuse = "bad"\n', 5),
    "fetch": ("class Bad(qsohost.Fetcher):\n    def fetch(self, batch):\n        {}\n", '[[stage]]\nuse = "bad"\n', 5),
    "fit_batch": (
        "class MyFit(qsohost.Fitter):\n    adds = [qsohost.Out('x')]\n"
        "    def fit_batch(self, batch, group):\n        {}\n", FIT, 6),
    "open": ("class Bad(qsohost.Filter):\n    def apply(self, batch): pass\n    def open(self):\n        {}\n",
             '[[stage]]\nuse = "bad"\n', 6),
}  # fmt: skip


@pytest.mark.parametrize("callback", CALLBACKS)
@pytest.mark.parametrize("error", ["ValueError", "SystemExit", "KeyboardInterrupt"])
def test_other_exceptions_stop_the_run(tmp_path, callback, error):
    script, stages, line = CALLBACKS[callback]
    with pytest.raises(qsohost.RunError) as caught:
        batches(chain(tmp_path, script.format(f"raise {error}('no way')"), stages))
    assert f"my.py:{line}: {error}: no way\n" in str(caught.value)
    assert f"my.py:{line}, in {callback}: raise {error}" in str(caught.value)


@pytest.mark.parametrize("error", ["SystemExit", "KeyboardInterrupt"])
def test_the_end_of_a_program_in_fit_stops_the_run(tmp_path, error):
    script = f"@qsohost.fitter(adds=['x'])\ndef my_fit(curve):\n    raise {error}('no way')\n"
    with pytest.raises(qsohost.RunError, match=rf"my.py:5: {error}: no way"):
        batches(chain(tmp_path, script, FIT))


def test_an_exception_in_read_stops_the_run(tmp_path):
    write(tmp_path, "src.py", """
        import qsohost
        class Src(qsohost.Source):
            adds = [qsohost.Out("source_id", int), qsohost.Out("x")]
            def read(self, size):
                return {"source_id": [1, 2], "x": [1.0, "y"]}
        """)  # fmt: skip
    text = '[chain]\nname = "x"\n[[stage]]\nuse = "src"\n'
    with pytest.raises(qsohost.RunError, match="x: values of type <U"):
        batches(qsohost.Chain(text, plugins=[tmp_path / "src.py"]))


@pytest.mark.parametrize(("returned", "message"), [
    ("np.zeros(3)", r"x: an array of shape \(3,\), but must be \(4,\)"), ("np.zeros((4, 2))", r"shape \(4, 2\)"),
    ("['a'] * 4", "values of type <U1"), ("{'y': np.zeros(4)}", "returned 'y'"), ("None", "object"),
])  # fmt: skip
def test_wrong_results_of_a_batch(tmp_path, returned, message):
    script = CALLBACKS["fit_batch"][0].format(f"return {returned}")
    with pytest.raises(qsohost.RunError, match=message):
        batches(chain(tmp_path, script, FIT))


@pytest.mark.parametrize(("returned", "message"), [
    ("np.ones(4)", "what stays: values of type float64 cannot be bool"), ("np.ones(3, bool)", r"shape \(3,\)"),
    ("{'mine.g': np.ones(3, bool)}", "epochs of mine.g"), ("{'mine.x': np.ones(3, bool)}", "mine.x"),
])  # fmt: skip
def test_wrong_masks(tmp_path, returned, message):
    script = CALLBACKS["apply"][0].format(f"return {returned}")
    with pytest.raises(qsohost.RunError, match=message):
        batches(chain(tmp_path, script, CALLBACKS["apply"][1]))


@pytest.mark.parametrize(("script", "message"), [
    ("x = (1,\n", "my.py:3:5: SyntaxError"), ("import nothing_here", "my.py:3: ModuleNotFoundError"),
    ("class A(qsohost.Filter): pass", "class A needs the method apply()"),
    ("class A(qsohost.Fitter):\n    def fit(self, c): pass", "adds = "),
    ("x = qsohost.Option({})", "my.py:3: TypeError: an option needs"), ("x = 1", "offers no stage"),
    ("raise SystemExit(3)", "my.py:3: SystemExit: 3"),
    ("class A(qsohost.Filter):\n    def apply(self, b): pass\nclass B(A):\n    stage_name = 'a'", "called 'a'"),
])  # fmt: skip
def test_scripts_that_cannot_be_read(tmp_path, script, message):
    problems = chain(tmp_path, script, "").check()
    assert any(message in p.message and p.file.endswith("chain.toml") for p in problems), problems


def test_two_scripts_and_a_stage_of_both(tmp_path):
    write(tmp_path, "other.py", "import qsohost\nclass MyFit(qsohost.Filter):\n    def apply(self, batch): pass\n")
    made = chain(tmp_path, BATCH_FIT, FIT, plugins=["source.py", "other.py", "my.py"])
    assert any("offered by two plugins" in p.message for p in made.check())


def test_helpers_of_the_same_name_in_two_folders(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "helper.py", f"NAME = '{name}'\n")
        write(tmp_path / name, f"{name}.py", f"""
            import helper
            import qsohost
            assert helper.NAME == "{name}"
            class {name.title()}(qsohost.Filter):
                def apply(self, batch): pass
            """)  # fmt: skip
    made = chain(tmp_path, BATCH_FIT, FIT, plugins=["source.py", "my.py", "one/one.py", "two/two.py"])
    assert [p for p in made.check() if not p.is_warning] == []


@pytest.mark.parametrize("changed", ["my.py", "helper.py", "data.txt"])
def test_a_changed_script_is_refused(tmp_path, changed):
    write(tmp_path, "helper.py", "x = 1\n")
    (tmp_path / "data.txt").write_text("1")
    script = BATCH_FIT + f"    def inputs(self): return ['{tmp_path}/data.txt']\nimport helper\n"
    made = chain(tmp_path, script, FIT + RESULTS)
    made.run(tmp_path / "run", progress=False)
    made.run(tmp_path / "run", progress=False, resume=True)
    with open(tmp_path / changed, "a") as file:
        file.write("# changed\n")
    with pytest.raises(qsohost.UsageError, match="helper|my|data.txt"):
        made.run(tmp_path / "run", progress=False, resume=True)


KEEPER = """
KEPT = qsohost.KEPT_BY_A_TEST = []
class Keep(qsohost.Filter):
    def apply(self, batch):
        KEPT.append((batch, batch["mine.g"].mag, batch["mine.g"].mag.copy()))
        return {"mine.g": batch["mine.g"].mag < 19.3}
"""


def test_views_that_are_kept_stay_as_they_were(tmp_path):
    found = batches(chain(tmp_path, KEEPER, '[[stage]]\nuse = "keep"\n'))
    assert [len(batch) for batch in found] == [4, 4, 2]
    for batch, view, copy in qsohost.KEPT_BY_A_TEST:
        assert np.array_equal(view, copy) and np.array_equal(batch["mine.g"].mag, copy)
    assert column(found, "source_id").tolist() == list(range(10))
    assert max(batch["mine.g"].mag.max() for batch in found) < 19.3


@pytest.mark.parametrize("write_to", ["batch['z'][:] = 1", "group.mag[0] = 1", "group.offsets[0] = 9",
                                      "group.mag.flags.writeable = True", "group.mag.resize(1000)"])  # fmt: skip
def test_views_cannot_be_written_to(tmp_path, write_to):
    script = CALLBACKS["fit_batch"][0].format(write_to)
    with pytest.raises(qsohost.RunError, match="ValueError"):
        batches(chain(tmp_path, script, FIT))


def test_the_same_with_any_number_of_threads(tmp_path):
    stages = FIT + '[[stage]]\nuse = "other"\ngroups = ["mine.g"]\n' + RESULTS
    script = CURVE_FIT + "@qsohost.fitter(adds=['x'])\ndef other(curve): return curve.mag[0]\n"
    made = chain(tmp_path, script, stages).set("made.count", 200)
    tables = []
    for threads in (1, 2, 8):
        run = made.run(tmp_path / f"run{threads}", progress=False, threads=threads, in_flight=10)
        tables.append(run.tables["fit.mine.g"]["amplitude"].tobytes())
    assert tables[0] == tables[1] == tables[2]
