"""A line to a server that can break or fall silent."""

import socket
import threading
import time


class Proxy:
    """Passes connections on to a port. After `most` bytes to the client (None: never) that connection
    is cut, and `hook` is called. After `pause_after` bytes it pauses by itself. While `paused` nothing is passed on and nothing is closed: new
    connections are accepted (by the system), and that is all."""

    def __init__(self, port, most=None, hook=None, pause_after=None):
        self.target, self.left, self.hook = port, most, hook
        self.until_pause = pause_after
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        self.paused = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.wait_while_paused()
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            for args in ((client, server, False), (server, client, True)):
                threading.Thread(target=self.pump, args=args, daemon=True).start()

    def wait_while_paused(self):
        while self.paused:
            time.sleep(0.05)

    def pump(self, source, sink, counts):
        try:
            while data := source.recv(65536):
                if counts:
                    self.pause_if_due(len(data))
                self.wait_while_paused()
                if counts and self.is_over(len(data)):
                    sink.sendall(data[: len(data) // 2])
                    for end in (source, sink):
                        end.shutdown(socket.SHUT_RDWR)
                    self.hook()
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        source.close()

    def pause_if_due(self, n):
        with self.lock:
            if self.until_pause is None:
                return
            self.until_pause -= n
            if self.until_pause <= 0:
                self.until_pause, self.paused = None, True

    def is_over(self, n):
        with self.lock:
            if self.left is None:
                return False
            self.left -= n
            if self.left > 0:
                return False
            self.left = None
            return True

    def close(self):
        self.paused = False
        self.listener.close()
