"""Shards of one chain, run on their own and merged."""

import box as boxes
from machine import GOOD, REFUSED
from steps import Steps


class Shards(Steps):
    WEIGHTS = Steps.WEIGHTS | {"shards": 4}

    def step_shards(self):
        if self.is_absolute or any("shard" in name for name in self.runs):
            return self.step_resume()
        rows = self.world.rows
        cuts = sorted(self.rng.sample(range(1, len(rows)), self.rng.randint(1, 2)))
        shards = [self.shard(k, a, b) for k, (a, b) in enumerate(zip([0, *cuts], [*cuts, None]))]
        for run in shards:
            self.finish_shard(run)
        whole = boxes.Run("all.run")
        self.runs |= {run.name: run for run in [*shards, whole]}
        if all(self.has_chunks(run, boxes.SINKS) for run in shards):
            self.merge_without_one(shards, len(rows), cuts[-1])
            self.merge(shards, whole)
        else:
            self.execute(["merge", *(run.name for run in shards), "--into", whole.name], REFUSED)
            self.check_files([whole, *shards])
        del self.runs[whole.name]  # it holds products, and no run to go on with

    def shard(self, k, begin, end):
        args = ["--skip", str(begin)] if begin else []
        args += ["--limit", str(end - begin)] if end else []
        return boxes.Run(f"shard{k}.run", tuple(args))

    def finish_shard(self, run):
        """In some attempts; the first of them may be disturbed."""
        code = self.command(run, ["--resume"], GOOD, self.fault())
        for _ in range(3):
            if code in GOOD:
                return
            code = self.command(run, ["--resume"], GOOD)
        raise AssertionError(f"{run.name} does not come to an end")

    def merge_without_one(self, shards, objects, last_cut):
        """Without the last shard it says how many objects are missing; --partial allows that."""
        names = [run.name for run in shards]
        into = boxes.Run("part.run")
        self.execute(["merge", *names[:-1], "--into", into.name], REFUSED)
        assert str(objects - last_cut) in self.said, self.said
        self.check_files([into, *shards])
        if len(shards) > 2:
            self.execute(["merge", names[0], names[2], "--into", into.name], REFUSED)
            self.check_files([into, *shards])
        self.execute(["merge", *names[:-1], "--into", into.name, "--partial"], {0})
        self.check_files([into, *shards], may_leave=False)
        self.check_merged(shards[:-1], into)

    def check_merged(self, shards, into):
        into.known = {}
        for run in shards:
            into.known |= run.known
        ids = self.in_order([row for run in shards for row in run.range(run.rows)])
        paths = {sink: self.box.path(p) for sink, p in self.paths(into).items()}
        boxes.check_tables(into, paths, ids)

    def merge(self, shards, into):
        names = [run.name for run in shards]
        self.rng.shuffle(names)
        arguments = ["merge", *names, "--into", into.name]
        self.execute(arguments, {0}, self.fault())
        self.check_files([into, *shards])
        for _ in range(2):  # twice into the same folder
            self.execute(arguments, {0})
            self.check_files([into, *shards], may_leave=False)
            self.check_merged(shards, into)
