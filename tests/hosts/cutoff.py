#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client is cut off while it holds the lock of a plan: nothing that it sends arrives any more, and its connection
stays open. The server ends it, others go on, and its write is not there."""
import selectors
import socket
import threading
import time

import harness

BOUND = 15.0  # idle_in_transaction_session_timeout of a write
SLACK = 3.0
CONTROL = 5.0  # a lock that nobody held would be had at once


class Proxy(threading.Thread):
    """Passes on what a client and the server say, until the client sends a COMMIT: that and all later is held back."""

    def __init__(self, folder, server):
        super().__init__(daemon=True)
        folder.mkdir()
        self.server, self.holds = server, threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / ".s.PGSQL.5432"))
        self.listener.listen()

    def run(self):
        while True:
            client = self.listener.accept()[0]
            threading.Thread(target=self.pass_on, args=(client,), daemon=True).start()

    def pass_on(self, client):
        upstream = socket.socket(socket.AF_UNIX)
        upstream.connect(str(self.server))
        other = {client: upstream, upstream: client}
        selector = selectors.DefaultSelector()
        for end in other:
            selector.register(end, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(65536)
                if not data:
                    return
                if key.fileobj is client and b"INSERT" in data:
                    self.holds.set()
                if not self.holds.is_set():
                    other[key.fileobj].sendall(data)


def main():
    options = harness.arguments()
    with harness.World() as world:
        server, direct = harness.new_store(world, options.turboci)
        direct.must("plan", "create", "p")
        for _ in range(3 if options.long else 1):
            folder = world.folder / f"proxy{time.monotonic_ns()}"
            proxy = Proxy(folder, server.folder / ".s.PGSQL.5432")
            proxy.start()
            cut = world.start(options.turboci, "--store", f"postgresql:///ci?host={folder}&user=postgres", "-p", "p",
                              "nodes", "write", "-", stdin=harness.subprocess.PIPE, stderr=harness.subprocess.DEVNULL)
            cut.stdin.write(b'{"checks": [{"id": "cut"}]}')
            cut.stdin.close()
            assert proxy.holds.wait(60)
            begun = time.monotonic()
            direct.must("-q", "-p", "p", "nodes", "write", "-", "--lock-timeout", "40s",
                        text=f'{{"checks": [{{"id": "next{begun}"}}]}}')
            waited = time.monotonic() - begun
            print(f"cut off: others went on after {waited:.1f} s", flush=True)
            assert CONTROL < waited < BOUND + SLACK
            assert "cut" not in [check["id"] for check in direct.nodes("p")["checks"]]
            cut.kill()


main()
