"""The steps of which sequences are made."""

import copy
import os
import shutil

import box as boxes
import world as worlds
from ledger import HOST, Ledger
from machine import GOOD, REFUSED, Machine

USERS_NAMES = (
    "notes.txt", "received/mine.fits", "chunks/raw/ztf-00000000.fits", "merging/mine", "lock",
    "c_catalog.fits.part", ".c_catalog.fits.0123456789abcdef.part", "run-id", "run.index",
)  # fmt: skip


class Steps(Machine):
    WEIGHTS = {
        "begin": 12, "resume": 20, "retry": 14, "accept": 7, "restart": 4, "merge": 5, "look": 4,
        "copy": 4, "user_file": 3, "meddle": 4, "unblock": 5, "catalogue": 9, "answers": 9,
    }  # fmt: skip

    def run_steps(self, count):
        names, weights = zip(*self.WEIGHTS.items())
        for name in ["begin", *self.rng.choices(names, weights, k=count - 2)]:
            getattr(self, "step_" + name)()
        self.finale()

    def any_run(self):
        if not self.runs:
            self.step_begin()
        return self.runs[self.rng.choice(sorted(self.runs))]

    def step_begin(self):
        names = [n for n in ("a.run", "b.run", "deep/c.run", ".") if n not in self.runs]
        if not names:
            return self.step_resume()
        args = []
        if self.rng.random() < 0.2:
            args += ["--skip", str(self.rng.randint(1, 4))]
        if self.rng.random() < 0.2:
            args += ["--limit", str(self.rng.randint(1, 9))]
        run = boxes.Run(self.rng.choice(names), tuple(args))
        self.runs[run.name] = run
        words = self.rng.choice([[], [], ["--resume"], ["--restart"], ["--retry-failed"]])
        self.command(run, words, REFUSED if self.is_blocked(run) else GOOD, self.fault())

    def step_resume(self):
        run = self.any_run()
        self.command(run, ["--resume"], self.expected(run), self.fault())

    def step_retry(self):
        run = self.any_run()
        self.command(run, ["--retry-failed"], self.expected(run, True), self.fault())

    def step_accept(self):
        run = self.any_run()
        self.accept(run, self.rng.random() < 0.4, self.fault())

    def accept(self, run, retries, fault=None):
        is_changed = self.is_changed(run)
        old = (run.inputs, run.maybe_inputs, run.is_pure)
        objects = set(run.known)
        text = self.world.catalogue()
        # Batches are cut by who is not done from now on.
        run.is_pure = run.is_pure and not run.is_begun
        if is_changed:
            run.inputs, run.maybe_inputs = set(), {text}
        allowed = self.expected(run, retries) - ({2} if not self.is_blocked(run) else set())
        # A shard of another catalogue is another shard; a finished run may have no chunks any more.
        if (is_changed or run.maybe_inputs) and (run.args or run.is_finished):
            allowed = GOOD | REFUSED
        words = ["--retry-failed" if retries else "--resume", "--accept-changed-inputs"]
        code = self.command(run, words, allowed, fault)
        if is_changed and code in GOOD:
            gone = objects - run.known.keys()
            assert not gone, f"objects {sorted(gone)} were committed, and are in the run no more"
        elif code == 2 and not fault:
            run.inputs, run.maybe_inputs, run.is_pure = old
        elif is_changed:
            run.inputs, run.maybe_inputs = set(), old[0] | old[1] | {text}

    def step_restart(self):
        run = self.any_run()
        if run.is_begun:
            Ledger.mark(self.box.path(run.name))
            self.look()
        allowed = REFUSED if self.is_blocked(run) else GOOD
        if run.is_moved and self.is_absolute:
            allowed = GOOD | REFUSED
        code = self.command(run, ["--restart"], allowed, self.fault(), restarts=True)
        if code in REFUSED:
            # What could not be removed is not the new run's.
            for path in [p for p in self.paths(run).values() if p in run.own]:
                self.take_away(path)
            self.look()

    def step_look(self):
        """Commands that change nothing."""
        run = self.any_run()
        words, allowed = self.rng.choice([
            (["--dry-run", "3"], GOOD | REFUSED),
            (["status"], GOOD | REFUSED),
            ([], REFUSED),
            (["--resume", "--set", "ztf.radius_arcsec=1"], REFUSED),
        ])  # fmt: skip
        if run.is_begun:
            self.command(run, words, allowed, makes=False)

    def step_merge(self):
        run = self.any_run()
        ledger = self.ledger(run)
        allowed = REFUSED
        if ledger.is_complete and not self.is_blocked(run):
            if self.has_chunks(run, boxes.SINKS) or not ledger.is_finished:
                allowed = {0}
            elif any(self.has_chunks(run, [s]) for s in boxes.SINKS):
                allowed = {0, 1}
        if (run.is_moved and self.is_absolute) or run.maybe_inputs:
            allowed = {0} | REFUSED
        code = self.command(run, ["merge"], allowed, self.fault(0.6), makes=False)
        assert code != 0 or run.is_finished

    def step_copy(self):
        run = self.any_run()
        if run.name == "." or len(self.runs) > 4 or not self.box.path(run.name).exists():
            return self.step_resume()
        new = copy.deepcopy(run)
        new.name = f"copy{len(self.box.steps)}.run"
        new.is_moved, new.own = True, {}
        is_move = self.rng.random() < 0.4
        self.box.steps.append(f"{'mv' if is_move else 'cp -r'} {run.name} {new.name}")
        if is_move:
            os.rename(self.box.path(run.name), self.box.path(new.name))
            del self.runs[run.name]
        else:
            # As cp -r: files have the time of the copy.
            copy_of = {"copy_function": shutil.copyfile, "symlinks": True}
            shutil.copytree(self.box.path(run.name), self.box.path(new.name), **copy_of)
        for old_path, path in zip(self.paths(run).values(), self.paths(new).values()):
            if old_path in run.own and (is_move or old_path != path):
                new.own[path] = run.own[old_path]
        for name in [n for n in self.box.users if n.startswith(run.name + "/")]:
            self.box.users[new.name + name[len(run.name) :]] = self.box.users[name]
        self.runs[new.name] = new
        self.look()

    def step_user_file(self):
        run = self.any_run()
        folder = self.rng.choice([run.name, "."])
        path = os.path.normpath(os.path.join(folder, self.rng.choice(USERS_NAMES)))
        if path not in self.files:
            self.box.steps.append(f"mkdir -p $(dirname {path}); echo mine > {path}")
            self.box.put(path, b"mine\n")
            self.look()

    def step_meddle(self):
        """The user removes a product, or puts a file or a folder in its place."""
        path = self.rng.choice(list(self.paths(self.any_run()).values()))
        self.take_away(path)
        how = self.rng.choice(["", "", "file", "folder"])
        if how == "file":
            self.box.put(path, b"not a product\n")
        elif how == "folder":
            self.box.put(path + "/mine", b"in the way\n")
        if how:
            self.box.steps.append(f"make a {how} {path}")
        self.look()

    def take_away(self, path):
        at = self.box.path(path)
        shutil.rmtree(at) if at.is_dir() else at.unlink(missing_ok=True)
        for name in (path, path + "/mine"):
            self.box.users.pop(name, None)
        self.box.steps.append(f"rm -rf {path}")

    def step_unblock(self):
        self.unblock(self.any_run())

    def unblock(self, run):
        for path in self.paths(run).values():
            if path in self.files and self.files[path] != run.own.get(path, b"-"):
                self.take_away(path)
        self.look()

    def step_catalogue(self):
        rows, rng = self.world.rows, self.rng
        how = rng.choice(["add", "remove", "change", "swap", "restore", "restore", "touch"])
        k = rng.randrange(len(rows))
        if how == "add":
            source_id = rng.choice([i for i in range(1, 900) if i not in self.world.answers])
            self.world.answers[source_id] = 0
            self.world.write_answer(source_id)
            rows.insert(k, (source_id, 0))
        elif how == "remove" and len(rows) > 4:
            rows.pop(k)
        elif how == "change":
            rows[k] = (rows[k][0], rows[k][1] + 1)
        elif how == "swap":
            rows[0], rows[k] = rows[k], rows[0]
        elif how == "restore":
            rows[:] = self.first_rows
        self.world.write_catalogue()
        self.box.steps.append(f"catalogue: {how} row {k}")
        self.look()

    def step_answers(self):
        how = self.rng.choice(["all there", "another version", "taken away", "no epochs"])
        answers = self.world.answers
        some = list(answers) if how == "all there" else [self.rng.choice(list(answers))]
        for source_id in some:
            old = answers[source_id]
            answers[source_id] = {
                "all there": 0 if old == worlds.MISSING else old,
                "another version": old + 1 if isinstance(old, int) else 0,
                "taken away": worlds.MISSING,
                "no epochs": worlds.EMPTY,
            }[how]
            self.world.write_answer(source_id)
        self.box.steps.append(f"answers: {how}" + (f", of {some[0]}" if len(some) == 1 else ""))
        self.look()

    # --- the end ------------------------------------------------------------------------------

    def finale(self):
        """With everything in place a run can be finished, and is what an undisturbed one is."""
        run = self.any_run()
        if run.is_moved and self.is_absolute:
            return
        self.unblock(run)
        for source_id, answer in self.world.answers.items():
            if answer == worlds.MISSING:
                self.world.answers[source_id] = 0
                self.world.write_answer(source_id)
        self.box.steps.append("answers: all there")
        if run.is_pure and run.is_begun:
            self.world.rows[:] = run.rows
            self.world.write_catalogue()
            self.box.steps.append("catalogue: as it was when this run began")
        self.look()
        gone = run.is_finished and not run.is_unsettled and self.missing(run)
        if gone and not self.has_chunks(run, boxes.SINKS):
            return
        if run.is_pure:
            self.command(run, ["--retry-failed"], {0})
            self.compare_undisturbed(run)
        elif not run.args and self.has_chunks(run, boxes.SINKS):
            self.accept(run, True)

    def compare_undisturbed(self, run):
        """Of the answers as this run had them."""
        for source_id, (answer, _) in run.known.items():
            self.world.answers[source_id] = answer
            self.world.write_answer(source_id)
        self.look()
        reference = boxes.Run("undisturbed.run", run.args)
        args = ["--set", "raw.path={name}_raw.fits"] if self.is_absolute else []
        args = ["--chain", "chain.toml", "--run-dir", reference.name, *run.args, *args]
        self.execute(args, {0})
        relative = self.box.product_paths(reference, "{name}_raw.fits")
        for sink, path in (relative if self.is_absolute else self.paths(reference)).items():
            whole = boxes.fits_table.read(self.box.path(path)).data
            ours = boxes.fits_table.read(self.box.path(self.paths(run)[sink])).data
            assert ours == whole, f"{self.paths(run)[sink]} differs from that of an undisturbed run"
