"""Answers of which nobody said where they end, and what is kept of answers."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import time
import unittest

from servers import HEAD, QSOHOST, Archive, HttpTest, answer


def unannounced(handler, body):
    """Ends with the connection: no Content-Length, and not chunked."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    handler.wfile.write(body.encode())
    return False


def lines(body, n):
    return "".join(body.splitlines(keepends=True)[:n])


class Ends(HttpTest):
    def test_a_response_cut_at_a_line_end_is_not_believed(self):
        """The first answer about each source ends too early, behind a line."""
        for confirmations in (1, 2):
            with self.subTest(confirmations):

                def handle(handler, source, times):
                    body = answer(source)
                    return unannounced(handler, lines(body, 1 + source % 3) if times == 1 else body)

                with Archive(handle) as archive:
                    self.run_chain(
                        archive.url, "--restart", objects=40, confirmations=confirmations
                    )
                self.assert_whole(40)
                self.assertTrue(all(2 <= n <= 3 for n in archive.asked.values()))

    def test_an_object_whose_responses_all_differ_fails(self):
        def handle(handler, source, times):
            extra = f"{60000 + times}.5,18\n" if source == 3 else ""
            return unannounced(handler, answer(source) + extra)

        with Archive(handle) as archive:
            done = self.run_chain(archive.url, expect=3)
        self.assert_whole(10, without=[3])
        self.assertIn("3: the archive does not say where its answers end", done.stdout)
        self.assertEqual(archive.asked[3], 5)

    def test_announced_ends_are_believed(self):
        def chunked(handler, source, _times):
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "Chunked")
            handler.end_headers()
            body = answer(source).encode()
            handler.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            return False

        for handle in (lambda *_: None, chunked):
            with Archive(handle) as archive:
                self.run_chain(archive.url, "--restart")
            self.assert_whole(10)
            self.assertEqual(set(archive.asked.values()), {1})

    def test_a_cut_response_is_not_believed_after_a_resume(self):
        """Killed after the cut answers: the resumed run does not believe them either."""

        def handle(handler, source, times):
            if times > 1:
                time.sleep(30)
            return unannounced(handler, lines(answer(source), 1 + source % 3))

        with Archive(handle) as archive:
            self.chain(archive.url, objects=10)
            process = self.start()
            while not archive.asked or self.stored() < 2:
                time.sleep(0.05)
            process.kill()
            process.wait()
            cut = self.stored()
        with Archive(lambda h, s, _: unannounced(h, answer(s)), port=archive.port) as fresh:
            self.assertEqual(self.start("--resume").wait(timeout=300), 0, self.log())
        self.assert_whole(10)
        self.assertEqual(set(fresh.asked.values()) - {1, 2}, set())  # what was stored counts as one
        self.assertGreater(cut, 1)

    def test_responses_without_an_end_are_replayed(self):
        def handle(handler, source, times):
            body = answer(source)
            return unannounced(handler, lines(body, 1 + source % 3) if times == 1 else body)

        with Archive(handle) as archive:
            self.run_chain(archive.url, "--record", "recorded")
        self.run_chain(archive.url, "--restart", "--replay", "recorded")
        self.assert_whole(10)


class Kept(HttpTest):
    def failing_once(self, handle=lambda *_: None):
        """A run whose source 4 failed, so that the answers of its batch are kept."""
        with Archive(lambda h, s, t: h.send("no", 404) or False if s == 4 else handle(h, s, t)) as a:
            self.run_chain(a.url, max_attempts=1, expect=3)
        return a

    def change(self, file, sql):
        with contextlib.closing(sqlite3.connect(self.folder / file)) as db, db:
            return db.execute(sql).fetchall()

    def test_cookies_are_not_stored(self):
        def handle(handler, source, _times):
            handler.send(answer(source), Set_Cookie="session=geheim", X_Token="geheim",
                         Content_Type="text/csv")  # fmt: skip
            return False

        self.failing_once(handle)
        with Archive(handle) as archive:
            self.run_chain(archive.url, "--restart", "--record", "recorded")
        for file, query in (("run/.qsohost/run.db", ""), ("recorded/answers.db", "SELECT headers FROM answer")):
            for part in (self.folder / file).parent.iterdir():
                if part.is_file():
                    self.assertFalse(b"geheim" in part.read_bytes(), part)
            if query:
                rows = self.change(file, query)
                self.assertEqual(len(rows), 10)
                names = {line.split(":")[0] for (text,) in rows for line in text.splitlines()}
                self.assertEqual(names, {"Date", "Content-Type", "Content-Length"})

    def test_damaged_answers_are_asked_for_again(self):
        archive = self.failing_once()
        self.change("run/.qsohost/run.db", "UPDATE answer SET body = x'0011' WHERE url LIKE '%/7'")
        with Archive(port=archive.port) as fresh:
            done = self.run_chain(archive.url, "--retry-failed", max_attempts=1)
        self.assert_whole(10)
        self.assertEqual(sorted(fresh.asked), [4, 7])
        self.assertIn(f"GET {archive.url}/curve/7 is damaged; the archive is asked again", done.stderr)

    def test_an_object_that_a_fitter_refuses_is_not_requested_again(self):
        """Nobody asks an archive again because a fitter cannot use an object."""
        with Archive() as archive:
            chain = self.chain(archive.url)
            chain.write_text(chain.read_text().replace(
                '[[stage]]\nuse = "faux-sink"',
                '[[stage]]\nuse = "faux-fetch"\nlabel = "faux"\n'
                '[[stage]]\nuse = "faux-fit"\nlabel = "fit"\nfails = "bad"\nfail_at = 3\n'
                '[[stage]]\nuse = "faux-sink"'))  # fmt: skip
            self.qsohost("--chain", chain, "--run-dir", "run")
        self.assertEqual(self.change("run/.qsohost/run.db", "SELECT count(*) FROM answer"), [(0,)])


class Recordings(HttpTest):
    def record(self):
        with Archive() as archive:
            self.run_chain(archive.url, "--record", "recorded")
        return archive

    def replay(self, archive, recorded, **how):
        chain = self.chain(archive.url)
        out = self.folder / "out"
        shutil.rmtree(out, True)
        out.mkdir()
        out.chmod(0o777)
        done = subprocess.run(
            [QSOHOST, "--chain", chain, "--run-dir", out / "run", "--replay", recorded],
            cwd=self.folder, capture_output=True, text=True, timeout=300, **how)  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((out / "run/raw.txt").read_text(), self.expected(10))
        return done

    def test_a_recording_of_another_user_is_not_written_to(self):
        archive = self.record()
        recorded = self.folder / "recorded"
        self.folder.chmod(0o755)
        (recorded / "answers.db").chmod(0o444)
        recorded.chmod(0o555)
        before = (recorded / "answers.db").read_bytes()
        self.replay(archive, recorded, **({"user": 65534} if os.geteuid() == 0 else {}))
        self.assertEqual([p.name for p in recorded.iterdir()], ["answers.db"])
        self.assertEqual((recorded / "answers.db").read_bytes(), before)

    def test_a_recording_on_read_only_media_is_replayed(self):
        archive = self.record()
        mount = ["unshare", "--mount", "sh", "-c",
                 "mount --bind recorded recorded && mount -o remount,ro,bind recorded && exec \"$@\"",
                 "sh"]  # fmt: skip
        if subprocess.run([*mount, "true"], cwd=self.folder, capture_output=True).returncode:
            self.skipTest("file systems cannot be mounted here")
        chain = self.chain(archive.url)
        done = subprocess.run(
            [*mount, QSOHOST, "--chain", chain, "--run-dir", "out", "--replay", "recorded"],
            cwd=self.folder, capture_output=True, text=True, timeout=300)  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.product("out"), self.expected(10))

    def test_a_recording_of_an_older_version_is_replayed_with_a_warning(self):
        archive = self.record()
        with contextlib.closing(sqlite3.connect(self.folder / "recorded/answers.db")) as db, db:
            columns = ("stage, ordinal, question, url, turn, status, final_url, headers, size, body, "
                       "asked")  # fmt: skip
            db.execute(f"CREATE TABLE old AS SELECT {columns} FROM answer")
            db.execute("DROP TABLE answer")
            db.execute("ALTER TABLE old RENAME TO answer")
            db.execute("PRAGMA application_id=0")  # nor were they marked
            db.execute("PRAGMA user_version=0")
        done = self.replay(archive, self.folder / "recorded")
        self.assertIn("of an older version", done.stderr)


if __name__ == "__main__":
    unittest.main()
