"""Answers of every kind, from servers that behave as real ones do."""

import contextlib
import gzip
import socket
import ssl
import struct
import subprocess
import time
import unittest
from email.utils import formatdate

from servers import HEAD, Archive, HttpTest, answer


def endless(handler, _source, _times):
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    handler.wfile.write(HEAD.encode())
    for _ in range(100_000):
        handler.wfile.write(b"58000.5,18.0\n" * 1000)
    return False


def drip(handler, _source, _times):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for k in range(100):
        handler.wfile.write(b"58000.5,18"[:10])
        handler.wfile.flush()
        time.sleep(0.2)
    return False


def reset(handler):
    """An RST instead of an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.shutdown(socket.SHUT_RD)
    handler.close_connection = True
    handler.wfile = handler.connection.makefile("wb")
    handler.connection.close()
    return False


def cut(handler, source, how):
    """The first half of the body, by the way in which its length is announced."""
    body = answer(source).encode()
    half = body[: len(HEAD) + 3]
    handler.send_response(200)
    handler.close_connection = True
    if how == "length":
        handler.send_header("Content-Length", str(len(body)))
    elif how == "chunks":
        handler.send_header("Transfer-Encoding", "chunked")
        half = b"%x\r\n%s\r\n" % (len(half), half)
    else:
        handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(half)
    return False


class Answers(HttpTest):
    def test_every_object_is_requested_once(self):
        with Archive() as archive:
            done = self.run_chain(archive.url, objects=200, contact="me@example.org")
        self.assert_whole(200)
        self.assertEqual(sum(archive.asked.values()), 200)
        self.assertEqual(archive.agents, {"qsohost/0.1.0 (+me@example.org)"})
        self.assertIn("gzip", archive.encodings.pop())
        self.assertLess(archive.connections, 20)  # kept and used again
        self.assertIn(f"127.0.0.1:{archive.port}: 200 requests, 0 of them again", done.stdout)

    def test_compressed_responses_and_post(self):
        def handle(handler, source, _times):
            length = int(handler.headers.get("Content-Length", 0))
            if handler.command != "POST" or handler.rfile.read(length) != b"what is there?":
                return handler.send("no", 400) or False
            handler.send(gzip.compress(answer(source).encode()), Content_Encoding="gzip")
            return False

        with Archive(handle) as archive:
            self.run_chain(archive.url, post="what is there?")
        self.assert_whole(10)

    def test_a_damaged_response_is_requested_again(self):
        """Whatever goes wrong once: asked again, and right."""

        def handle(handler, source, times):
            if times > 1:
                return None
            match source % 8:
                case 0:
                    return handler.send("busy", 503) or False
                case 1:
                    return reset(handler)
                case 2:
                    return cut(handler, source, "length")
                case 3:
                    return cut(handler, source, "chunks")
                case 4:
                    return cut(handler, source, "close")
                case 5:
                    return "<html>moved</html>"
                case 6:
                    return handler.send("what?", 400) or False
                case 7:
                    return handler.send("wait", 429, Retry_After=0) or False

        with Archive(handle) as archive:
            self.run_chain(archive.url, objects=80)
        self.assert_whole(80)
        self.assertEqual(set(archive.asked.values()), {2})

    def test_a_wrong_empty_response_is_not_believed(self):
        def handle(_handler, source, times):
            return HEAD if source == 3 or times == 1 and source == 5 else None

        with Archive(handle) as archive:
            self.run_chain(archive.url, confirmations=2)
        self.assert_whole(10, without=[3])
        self.assertEqual(archive.asked[3], 2)

    def test_retry_after_is_obeyed(self):
        for how in ("seconds", "date"):
            with self.subTest(how=how):
                refused = []

                def handle(handler, _source, _times):
                    if refused:
                        return None
                    refused.append(time.monotonic())
                    date = formatdate(time.time() + 3, usegmt=True)
                    value = "2" if how == "seconds" else date
                    return handler.send("wait", 429, Retry_After=value) or False

                with Archive(handle) as archive:
                    self.run_chain(archive.url, "--restart", objects=40)
                self.assert_whole(40)
                # Nobody is asked in between, but for what was on its way already.
                soon = [t for ts in archive.when.values() for t in ts if t < refused[0] + 1.5]
                self.assertLessEqual(len(soon), 6)

    def test_an_object_that_always_fails_is_tried_by_retry_failed(self):
        def handle(handler, source, _times):
            if source == 4:
                return handler.send("<b>the database\nis broken</b>", 500) or False
            if source == 6:
                return handler.send("no such thing", 404) or False
            return None

        with Archive(handle) as archive:
            done = self.run_chain(archive.url, objects=300, rows=20, max_attempts=4, expect=3)
        self.assert_whole(300, without=[4, 6])
        self.assertEqual((archive.asked[4], archive.asked[6]), (4, 3))
        self.assertIn("4: HTTP 500: the database is broken (asked 4 times)", done.stdout)
        self.assertIn("6: HTTP 404: no such thing", done.stdout)
        # Later only they are asked again.
        with Archive(port=archive.port) as fresh:
            self.run_chain(archive.url, "--retry-failed", objects=300, rows=20, max_attempts=4)
        self.assert_whole(300)
        self.assertEqual(sorted(fresh.asked), [4, 6])

    def test_a_body_announced_as_too_big_is_not_read(self):
        def handle(handler, _source, _times):
            handler.send_response(200)
            handler.send_header("Content-Length", str(2 << 30))
            handler.end_headers()
            handler.wfile.write(HEAD.encode() * 1000)
            handler.close_connection = True
            return False

        with Archive(handle) as archive:
            done = self.run_chain(archive.url, objects=2, expect=3)
        self.assertIn("the answer is larger than 1 MB, and was refused", done.stdout)
        self.assertEqual(set(archive.asked.values()), {1})

    def test_an_endless_body_is_cut_off(self):
        with Archive(endless) as archive:
            done = self.run_chain(archive.url, objects=2, expect=3)
        self.assertIn("the answer is larger than 1 MB, and was refused", done.stdout)

    def test_endless_trailers_are_cut_off(self):
        """They come behind a body that is whole."""

        def handle(handler, _source, _times):
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            handler.wfile.write(b"1\r\nz\r\n0\r\n")
            with contextlib.suppress(OSError):
                for _ in range(100_000):
                    handler.wfile.write(b"X: " + 1000 * b"y" + b"\r\n")
            handler.close_connection = True
            return False

        with Archive(handle) as archive:
            done = self.run_chain(archive.url, objects=2, timeout_ms=600_000, expect=3)
        self.assertIn("the answer's headers are larger than 1 MB, so it was refused", done.stdout)
        self.assertEqual(set(archive.asked.values()), {1})

    def test_a_length_beyond_all_numbers_is_refused(self):
        """libcurl ignores such a length: the end of the connection would be that of the answer."""

        def handle(handler, source, _times):
            handler.send_response(200)
            handler.send_header("Content-Length", "9" * 30)
            handler.end_headers()
            handler.wfile.write(answer(source)[:-3].encode())
            handler.close_connection = True
            return False

        with Archive(handle) as archive:
            done = self.run_chain(archive.url, objects=2, expect=3)
        self.assertIn("the answer is larger than 1 MB, and was refused", done.stdout)

    def test_a_decompression_bomb_is_cut_off(self):
        bomb = gzip.compress(bytes(50_000_000))

        def handle(handler, _source, _times):
            handler.send(bomb, Content_Encoding="gzip")
            return False

        with Archive(handle) as archive:
            done = self.run_chain(archive.url, objects=2, expect=3)
        self.assertIn("the answer is larger than 1 MB, and was refused", done.stdout)

    def test_a_response_that_drips_times_out(self):
        with Archive(drip) as archive:
            done = self.run_chain(
                archive.url, objects=1, timeout_ms=6000, max_attempts=2, expect=3
            )
        self.assertIn("the answer came too slowly", done.stdout)

    def test_redirects_within_a_host_are_followed(self):
        def handle(handler, source, _times):
            if handler.path.startswith("/curve"):
                return handler.send("", 302, Location=f"/moved/{source}") or False
            return None

        with Archive(handle) as archive:
            self.run_chain(archive.url)
        self.assert_whole(10)

    def test_redirects_to_other_hosts_are_refused(self):
        with Archive() as other:

            def handle(handler, source, _times):
                target = f"http://user:pw@localhost:{other.port}/curve/{source}"
                return handler.send("", 301, Location=target) or False

            with Archive(handle) as archive:
                done = self.run_chain(archive.url, objects=2, expect=3)
        self.assertIn(f"http://127.0.0.1:{archive.port}/curve/1 redirects to", done.stdout)
        self.assertIn(f"http://localhost:{other.port}/curve/1", done.stdout)
        self.assertNotIn("pw@", done.stdout + done.stderr)
        self.assertFalse(other.asked)

    def test_circular_redirects_fail(self):
        def handle(handler, source, _times):
            return handler.send("", 307, Location=f"/curve/{source}") or False

        with Archive(handle) as archive:
            done = self.run_chain(archive.url, objects=1, expect=3)
        self.assertIn("more than 5 redirects", done.stdout)
        self.assertEqual(archive.asked[1], 6)

    def test_a_bad_certificate_gives_up_the_archive(self):
        key, certificate = self.folder / "key.pem", self.folder / "cert.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
             "/CN=127.0.0.1", "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        with Archive(tls=tls) as archive:
            done = self.run_chain(archive.url, objects=100, expect=3)
        self.assertIn("self-signed certificate", done.stdout)
        self.assertIn("is given up for this run", done.stderr)
        self.assertFalse(archive.asked)
        self.assertLess(archive.connections, 5)

    def test_urls_of_other_protocols_are_refused(self):
        done = self.run_chain("file:///etc/{id}", objects=1, expect=3)
        self.assertIn("is no URL of http or https", done.stdout)

    def test_credentials_in_a_url_are_not_shown(self):
        with Archive(lambda h, *_: h.send("no", 403) or False) as archive:
            url = archive.url.replace("//", "//me:geheim@")
            done = self.run_chain(url, objects=2, expect=1)
        self.assertNotIn("geheim", done.stderr)
        self.assertIn("refuses access (HTTP 403: no, for GET", done.stderr)

    def test_the_password_of_a_proxy_is_not_shown(self):
        chain = self.chain("http://example.org")
        for proxy in ("http://me:geheim@ no proxy", "socks99://me:geheim@proxy"):
            with self.subTest(proxy):
                done = self.qsohost(
                    "--chain", chain, "--run-dir", "run", "--restart", "--set=echo.max_attempts=1",
                    "--log-level", "debug", "--log-file", "log", "--trace", "trace",
                    env={"http_proxy": proxy}, expect=None)  # fmt: skip
                self.assertIn("Unsupported proxy", done.stderr)
                self.assertNotIn("geheim", done.stdout + done.stderr)
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        self.assertEqual([path for path in files if b"geheim" in path.read_bytes()], [])

    def test_a_token_that_is_refused_stops_the_run(self):
        with Archive(lambda h, *_: h.send("wrong token", 401) or False) as archive:
            done = self.run_chain(archive.url, objects=200, expect=1)
        self.assertIn("refuses access (HTTP 401: wrong token", done.stderr)
        self.assertLess(sum(archive.asked.values()), 100)
        self.assertEqual(max(archive.asked.values()), 1)

    def test_a_denial_of_the_first_objects_stops_the_run(self):
        with Archive(lambda h, *_: h.send("no account", 403) or False) as archive:
            done = self.run_chain(archive.url, objects=200, expect=1)
        self.assertIn("refuses access (HTTP 403: no account", done.stderr)
        # Eight that were denied three times each; others were asked about between these attempts.
        self.assertLess(sum(archive.asked.values()), 200)

    def test_a_denied_object_ends_no_run(self):
        """Wherever it stands, and though good answers take longer than a refusal."""
        for denied in (1, 7):
            with self.subTest(denied):

                def handle(handler, source, _times, denied=denied):
                    if source == denied:
                        return handler.send("proprietary", 403) or False
                    time.sleep(2)
                    return None

                with Archive(handle) as archive:
                    self.run_chain(archive.url, "--restart", rows=5, expect=3)
                self.assert_whole(10, without=[denied])

    def test_a_denied_object_ends_no_retry(self):
        """It alone is asked about again, so that the archive gives no good answer any more."""
        deny = lambda h, s, _t: h.send("proprietary", 403) or False if s == 7 else None  # noqa: E731
        for rows in (5, 1, 10):
            with self.subTest(rows):
                with Archive(deny) as archive:
                    self.run_chain(archive.url, "--restart", rows=rows, expect=3)
                with Archive(deny, port=archive.port) as archive:
                    self.run_chain(archive.url, "--retry-failed", rows=rows, expect=3)
                self.assertEqual(dict(archive.asked), {7: 3})
                self.assert_whole(10, without=[7])


if __name__ == "__main__":
    unittest.main()
