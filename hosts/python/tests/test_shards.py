"""Shards from Python, and fetching before computing."""

import hashlib
from pathlib import Path

import pytest

import qsohost
from conftest import CHAIN
from scripted import chain


@pytest.fixture
def catalogue(tmp_path):
    """A chain of 20 objects in a file."""
    (tmp_path / "c.csv").write_text("source_id,ra,dec\n" + "".join(f"{i},{i},0\n" for i in range(1, 21)))
    stages = f'[[stage]]\nuse = "catalog-source"\npath = "{tmp_path}/c.csv"\n[[stage]]\nuse = "fits-sink"\n'
    return qsohost.Chain(f'[chain]\nname = "c"\nbatch_rows = 3\n{stages}what = "catalog"\n')


def digests(run):
    products = sorted(Path(run.run_dir).glob("*.fits"))
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in products}


@pytest.mark.parametrize("by", ["rows", "hash"])
def test_shards_merge_into_the_single_run(catalogue, tmp_path, by):
    whole = catalogue.run(tmp_path / "whole", progress=False)
    runs = [catalogue.run(tmp_path / f"{k}", progress=False, shard=(k, 3), shard_by=by) for k in range(3)]
    assert sum(run.status["objects"] for run in runs) == 20
    merged = qsohost.merge(runs, tmp_path / "merged")
    assert digests(merged) == digests(whole) != {}
    assert list(merged.tables["catalog"]["source_id"]) == list(range(1, 21))


def test_a_script_is_given_to_the_merge(tmp_path):
    chain(tmp_path, "", '[[stage]]\nuse = "fits-sink"\nlabel = "curves"\nwhat = "mine"\n', plugins=["source.py"])
    made = qsohost.Chain(tmp_path / "chain.toml")
    whole = made.run(tmp_path / "whole", progress=False)
    runs = [made.run(tmp_path / f"{k}", progress=False, shard=(k, 3), shard_by="hash") for k in range(3)]
    with pytest.raises(qsohost.RunError, match="no stage 'made'"):
        qsohost.merge(runs, tmp_path / "merged")
    assert digests(qsohost.merge(runs, tmp_path / "all", plugins=[tmp_path / "source.py"])) == digests(whole) != {}


def test_a_shard_that_is_missing(catalogue, tmp_path):
    run = catalogue.run(tmp_path / "shard-0", progress=False, shard=(0, 2))
    with pytest.raises(qsohost.RunError, match="--partial"):
        qsohost.merge([run], tmp_path / "merged")
    assert len(qsohost.merge([run], tmp_path / "part", partial=True).tables["catalog"]["source_id"]) == 10


@pytest.mark.parametrize(
    "options, says",
    [
        ({"shard": (3, 3)}, "shard 3/3"),
        ({"shard": (-1, 3)}, r"shard: \(-1, 3\)"),
        ({"shard": (0, 0)}, r"shard: \(0, 0\)"),
        ({"shard": (0, 3), "shard_by": "sky"}, "'sky' must be 'rows' or 'hash'"),
        ({"shard_by": "hash"}, "goes with shard"),
        ({"shard": (0, 3), "limit": 5}, "--limit"),
        ({"fetch_only": True}, "no stage of this chain sends requests"),
        ({"fetch_only": True, "offline": True}, "take one of the two"),
    ],
)
def test_what_is_refused(source, tmp_path, options, says):
    with pytest.raises(qsohost.UsageError, match=says):
        qsohost.Chain(CHAIN, source).run(tmp_path / "run", progress=False, **options)
    assert not (tmp_path / "run").exists()


def test_a_shard_is_a_pair(source, tmp_path):
    with pytest.raises(RuntimeError):
        qsohost.Chain(CHAIN, source).run(tmp_path / "run", progress=False, shard="0/3")


def test_offline_without_anything_to_fetch(source, finished, tmp_path):
    run = qsohost.Chain(CHAIN, source).run(tmp_path / "run", progress=False, offline=True)
    assert digests(run) == digests(finished)


def test_offline_before_the_fetch(tmp_path):
    (tmp_path / "c.csv").write_text("source_id,ra,dec\n1,10,0\n")
    text = f"""
[chain]
name = "c"
[[stage]]
use = "catalog-source"
path = "{tmp_path}/c.csv"
[[stage]]
use = "irsa-ztf"
url = "http://127.0.0.1:1"
patience = 1
[[stage]]
use = "fits-sink"
what = "ztf"
"""
    options = {"progress": False, "share_connections": tmp_path / "shared"}
    with pytest.raises(qsohost.UsageError, match="--fetch-only"):
        qsohost.Chain(text).run(tmp_path / "run", offline=True, **options)
    run = qsohost.Chain(text).run(tmp_path / "run", fetch_only=True, **options)
    assert run.report["end"] == "unsettled"
    assert [p.name for p in (tmp_path / "shared").iterdir()] == ["archive-127.0.0.1%3A1"]
    again = qsohost.Chain(text).run(tmp_path / "run", resume=True, offline=True, progress=False)
    assert [o.source_id for o in again.outcomes.failed] == ["1"]


def test_a_stage_with_a_client_of_its_own(tmp_path):
    script = """
    class Mine(qsohost.Fetcher):
        '''Asks somebody.'''
        asks = qsohost.Option(True, help="whether it asks")
        adds = [qsohost.LightCurves("other.g")]

        @property
        def sends_requests(self):
            return self.asks

        def fetch(self, batch):
            return [None] * len(batch)
    """
    made = chain(tmp_path, script, '[[stage]]\nuse = "mine"\nlabel = "asking"\n')
    for option in ("offline", "fetch_only"):
        with pytest.raises(qsohost.UsageError, match="stage 'asking' sends requests by itself"):
            made.run(tmp_path / "run", progress=False, **{option: True})
    assert not (tmp_path / "run").exists()
    made.set("asking.asks", False).run(tmp_path / "run", progress=False, offline=True)
