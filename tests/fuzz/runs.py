"""Files of a run directory, and of plots for its report."""

import pathlib
import re
import sqlite3

HOLDER = "a-host\n12_3\n77\n1.5\n"
MANIFEST = """shards = 2
shard_by = "rows"
scheduler = "slurm"
chain = "/c.toml"
name = "mine"
digest = "0"
version = "1"
program = "/q"
set = ["ztf.radius=1"]
swap = ["a=b"]
plugins = []
allow_insecure_plugins = false
stage_files = []
fetches_first = true
shares_connections = false
shards_per_task = 1
max_running = 0
scheduler_options = ""
fetch_options = ""
"""
RUNS = {
    "sums": "@@@ run.db\nUPDATE batch SET committed=NULL WHERE ordinal=1\nUPDATE batch SET first_object=3, objects=9\n"
    "UPDATE stage_batch SET objects_in=9223372036854775807\nINSERT INTO counted VALUES(1,1,0,'<a>','b',-5)\n"
    "UPDATE batch SET ids=x'3100', digest='0' WHERE ordinal=2\nDELETE FROM meta WHERE key='complete'\n",
    "facts": "@@@ run.db\nUPDATE meta SET value='7' WHERE key='objects'\nINSERT INTO meta VALUES('shard','1/2')\n"
    "INSERT OR REPLACE INTO meta VALUES('source counts','[[\"a\",\"b\",1]]')\nUPDATE meta SET value='2026-01-01 00:00:00' WHERE key='started'\n"
    "INSERT OR REPLACE INTO meta VALUES('fetching','5 3 2 0.5 ztf')\nINSERT INTO meta VALUES('merged from','a, b')\n"
    "UPDATE meta SET value='source a' WHERE key='stages'\nINSERT INTO meta VALUES('source end','5')\n",
    "chain": "@@@ run.db\nINSERT INTO effective VALUES(99,'run.shard = 1/2 by hash')\nUPDATE effective SET text=replace(text,'mine','yours')\n"
    "UPDATE input SET state='other'\nUPDATE product SET path='../x', now='1 2 3'\nUPDATE meta SET value='{\"groups\":[],\"columns\":[]}' WHERE key LIKE 'schema of %'\n",
    "objects": "@@@ run.db\nINSERT INTO object VALUES(1,'1',0,3,'why',3,'found',1,'2026-01-01 00:00:00',0)\n"
    "INSERT INTO object VALUES(0,x'00ff',1,2,NULL,-1,NULL,'x',NULL,1)\nINSERT INTO fetched VALUES(1,1)\nUPDATE batch SET attempt=2 WHERE ordinal=0\n",
    "shards": f"@@@ shards\n{MANIFEST}",
    "people": f"@@@ holder\n{HOLDER}@@@ crashes\n1\tstage 'a': SIGSEGV\n-\tb\n@@@ pause\n00000005.000\n@@@ slot\nh\nj\nm\n1 2\n@@@ owner\nh\n@@@ sweep\nh\nj\nm\n1 2\n",
}


def small_ledger():
    """A run.db of small pages, as the host makes it, without any batch."""
    source = (pathlib.Path(__file__).parents[2] / "framework/src/run/run_db_open.cpp").read_text()
    schema = re.search(r'R"\((.*?)\)"', source, re.DOTALL)[1]
    mark = re.search(r"SqliteKind kLedger\{(\w+),[^\n]*\n\s*(\d+),", source)
    application, version = int(mark[1], 0), int(mark[2])
    db = sqlite3.connect(":memory:")
    db.executescript(f"PRAGMA page_size=512; PRAGMA application_id={application}; PRAGMA user_version={version};{schema}")
    db.execute("INSERT INTO meta VALUES('begun', '2026-01-01 00:00:00'), ('stages', 'source a')")
    db.commit()
    return b"@@@ run.db\n" + db.serialize()


PLOTS = """[[plot]]
x = "log_tau_post"
y = "logD_post"
colour = "z"
product = "loo.ztf.g"
log_x = true
cut = "z < 2 and flags = 1"
fit = "line"
title = "<fuzz>"
[[plot]]
x = "z"
y = "ra"
"""
