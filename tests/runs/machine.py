"""Run directories under test, what is known about them, and the checks after every command."""

import os
import random

import box as boxes
import fits_table
import world as worlds
from ledger import HOST, Ledger

GOOD = {0, 3}
REFUSED = {1, 2}
FAULTS = {"kill": {-9}, "timer": {-9}, "interrupt": {130, -2}, "fail": REFUSED, "full": REFUSED}
OUTCOMES = {worlds.MISSING: "failed", worlds.EMPTY: "not found"}  # of other answers: matched


class Machine:
    def __init__(self, folder, program, seed):
        self.rng = random.Random(seed)
        self.box = boxes.Box(folder, program)
        self.is_absolute = self.rng.random() < 0.2
        self.world = worlds.random_world(self.box.folder, self.rng, self.is_absolute)
        self.first_rows = list(self.world.rows)
        self.threads = self.rng.choice(["1", "1", "2"])
        self.runs = {}
        self.box.put("notes.txt", b"of the user's\n")
        self.look()

    def look(self):
        """After changes that are not the program's."""
        self.files, self.host = self.box.snapshot()

    # --- what is there ------------------------------------------------------------------------

    def ledger(self, run):
        return Ledger(self.box.path(run.name), self.box.scratch)

    def paths(self, run):
        return self.box.product_paths(run, self.world.settings["raw_path"])

    def is_blocked(self, run):
        """Something that is not this run's stands in the place of a product."""
        paths = self.paths(run).values()
        return any(p in self.files and self.files[p] != run.own.get(p, b"-") for p in paths)

    def temporaries(self, run):
        """Left by a run that was killed; the next one removes them."""
        # Outside of the run directory other runs may have left theirs.
        folders = {os.path.dirname(p) for k, p in self.paths(run).items() if k != "raw" or not self.is_absolute}
        found = {p for p in self.files if boxes.TEMPORARY.search(p) and p not in self.box.users}
        return [p for p in found if os.path.dirname(p) in folders]

    def missing(self, run):
        return [sink for sink, p in self.paths(run).items() if p not in self.files]

    def is_changed(self, run):
        text = self.world.catalogue()
        return run.is_begun and text not in run.inputs and text not in run.maybe_inputs

    def has_chunks(self, run, sinks):
        keep = dict(zip(boxes.SINKS, self.world.settings["keep"]))
        return run.is_unsettled or all(keep[sink] == "true" for sink in sinks)

    def expected(self, run, retries=False):
        """Exit codes of --resume (or --retry-failed) without a fault."""
        if run.is_moved and self.is_absolute:
            return GOOD | REFUSED
        if self.is_blocked(run):
            # A product that the user has changed is reported where nothing is to be done.
            return REFUSED | (GOOD if run.is_finished and not (retries and run.is_unsettled) else set())
        text = self.world.catalogue()
        unsure = {2} if text in run.maybe_inputs else set()
        if self.is_changed(run):
            return {2}
        missing = self.missing(run)
        if not run.is_finished or not missing or (retries and run.is_unsettled):
            return GOOD | unsure
        if not self.has_chunks(run, missing):
            return {1} | unsure
        return GOOD | unsure if self.has_chunks(run, boxes.SINKS) else GOOD | {1} | unsure

    # --- a command and its checks -------------------------------------------------------------

    def fault(self, none=0.45):
        if self.rng.random() < none:
            return None
        what = self.rng.choice(["kill"] * 6 + ["fail"] * 3 + ["full", "timer", "interrupt"])
        if what in ("timer", "interrupt"):
            return what, self.rng.uniform(0.004, 0.03)
        batches = len(self.world.rows) / self.world.settings["batch_rows"]
        return what, self.rng.randint(1, int(100 + 85 * batches))

    def command(self, run, words, allowed, fault=None, restarts=False, makes=True):
        """Runs the program on a run directory and checks everything. allowed: exit codes if there is
        no fault. makes: an exit code of success means that the products are there."""
        before = self.ledger(run)
        args = ["--chain", "chain.toml", "-j", self.threads, "--run-dir", run.name, *run.args, *words]
        if words[:1] in (["merge"], ["status"]):
            args = [*words, run.name]
        code = self.execute(args, allowed, fault)
        may_leave = code not in GOOD or (fault and fault[0] == "fail")  # a removal may have failed
        self.check_files([run], may_leave, restarts)
        if makes and not may_leave:
            assert not self.temporaries(run), "done, and temporary files are left"
        ledger = self.ledger(run)
        if code in GOOD and makes and run.maybe_inputs:
            run.inputs, run.maybe_inputs = {self.world.catalogue()}, set()
        if code == 2 and not (fault or restarts or (run.is_moved and self.is_absolute)):
            was, now = ((x.batches, x.reopened, x.is_finished) for x in (before, ledger))
            assert was == now, "refused, and the ledger has changed"
        self.absorb(run, ledger, restarts)
        self.check_ledger(run, ledger)
        if code in GOOD and makes:
            assert ledger.is_finished, "done, and the ledger does not say so"
            assert (code == 3) == run.is_unsettled, f"exit {code}"
            # A copy does not know any more what its original has written elsewhere.
            missing = set(self.missing(run)) - ({"raw"} if run.is_moved and self.is_absolute else set())
            assert not missing, f"done, and products are missing: {missing}"
        if ledger.is_finished:
            assert not ledger.reopened and ledger.is_complete
            self.check_finished(run)
        return code

    def execute(self, args, allowed, fault=None):
        code, self.said = self.box.qsohost(args, fault)
        may = allowed | FAULTS.get(fault[0] if fault else "", set())
        assert code in may, f"exit {code}, not one of {sorted(may)}:\n{self.said}"
        return code

    def check_files(self, actors, may_leave=True, may_remove=False):
        """Nothing outside the host's folders has changed but products, and those only if they were
        the run's own. may_leave: temporary files."""
        files, host = self.box.snapshot()
        products = {p: run for run in actors for p in self.paths(run).values()}
        folders = {part for p in products for part in parents(p)}
        for path in sorted(files.keys() | self.files.keys()):
            old, new = self.files.get(path, b"-"), files.get(path, b"-")
            if old == new:
                continue
            if path in products:
                own = products[path].own
                assert old in (b"-", own.get(path, b"")), f"{path} was not the run's, and has changed"
                assert new != b"-" or may_remove, f"{path} was removed"
                if new == b"-":
                    own.pop(path)
                else:
                    fits_table.read(self.box.path(path))
                    own[path] = new
            elif boxes.TEMPORARY.search(path) and path not in self.box.users:
                assert new == b"-" or may_leave, f"{path} was left"
            else:
                assert new is None and path in folders, f"{path} was touched"
        homes = [os.path.normpath(os.path.join(run.name, HOST)) for run in actors]
        for path in host.keys() | self.host.keys():
            if host.get(path, 0) != self.host.get(path, 0):
                is_home = any(path == h or path.startswith(h + "/") for h in homes)
                assert is_home, f"{path} was touched"
        self.files, self.host = files, host

    def absorb(self, run, ledger, restarts):
        """What was committed in this step was made of what is there now."""
        if not ledger.is_begun or (restarts and not ledger.is_marked):
            run.forget()
        if ledger.is_begun and run.rows is None:
            run.rows, run.inputs = list(self.world.rows), {self.world.catalogue()}
        versions = dict(self.world.rows)
        known = {}
        for source_id, (ordinal, _) in ledger.objects.items():
            made = run.made.setdefault((ordinal, ledger.batches[ordinal][2]), {})
            if source_id not in made:
                version = versions.get(source_id, run.known.get(source_id, (None, None))[1])
                made[source_id] = (self.world.answers[source_id], version)
            known[source_id] = made[source_id]
        run.known = known
        run.is_begun, run.is_finished = ledger.is_begun, ledger.is_finished
        run.is_unsettled = bool(ledger.outcomes() & {"failed", "bad"})

    def check_ledger(self, run, ledger):
        if run.is_pure and ledger.is_begun:
            ids = [i for i, _ in run.rows]
            ledger.check_order()
            for ordinal, (first, objects, _) in ledger.batches.items():
                assert first >= run.number("--skip", 0)
                found = {i for i, (o, _) in ledger.objects.items() if o == ordinal}
                assert found == set(ids[first : first + objects]), f"batch {ordinal}: {sorted(found)}"
        for source_id, (_, outcome) in ledger.objects.items():
            answer = run.known[source_id][0]
            expected = OUTCOMES.get(answer, "matched")
            assert outcome == expected, f"{source_id} is '{outcome}'; its answer: {answer}"

    def check_finished(self, run):
        ids = None
        if run.is_pure:
            ids = self.in_order(run.range(run.rows))
            assert set(ids) == run.known.keys(), f"objects {sorted(set(ids) ^ run.known.keys())}"
        elif not run.args and self.world.catalogue() in run.inputs:
            lacking = {i for i, _ in self.world.rows} - run.known.keys()
            assert not lacking, f"objects {sorted(lacking)} are in the catalogue, and not in the run"
        paths = self.paths(run)
        if all(self.files.get(p) == run.own.get(p, b"-") for p in paths.values()):
            boxes.check_tables(run, {sink: self.box.path(p) for sink, p in paths.items()}, ids)
        # Otherwise the user took products away, or they are another run's.

    def in_order(self, rows):
        """Identifiers of these rows of the catalogue in the order that products have."""
        if self.world.settings["sort_by"]:
            rows = sorted(rows, key=lambda row: row[0] + row[1] / 8)
        return [i for i, _ in rows]


def parents(path):
    while "/" in path:
        path = path.rsplit("/", 1)[0]
        yield path
