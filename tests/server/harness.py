# SPDX-License-Identifier: Apache-2.0
"""A server of its own for each test: what the tests of it share. Called with TURBOCID TURBOCI [TEST...]."""
import importlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import grpc
except ImportError:
    print("/usr/bin/python3 has no grpcio; skipped")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TURBOCID, TURBOCI = (os.path.abspath(path) for path in sys.argv[1:3])
for name in [name for name in os.environ if name.startswith("TURBOCI_")]:
    del os.environ[name]  # those of a stage that runs this test
stubs = tempfile.TemporaryDirectory()


def load_stubs(protos):
    """Makes modules of all protos of that folder, once: they cannot be there twice."""
    root = ROOT / protos
    files = sorted(str(path) for path in root.rglob("*.proto"))
    plugin = shutil.which("grpc_python_plugin")
    subprocess.run(["protoc", f"-I{root}", f"--python_out={stubs.name}", f"--grpc_python_out={stubs.name}",
                    f"--plugin=protoc-gen-grpc_python={plugin}", *files], check=True)
    sys.path.insert(0, stubs.name)


def stub_of(channel, module, service):
    return getattr(importlib.import_module(f"turboci.v1.{module}_pb2_grpc"), f"{service}Stub")(channel)


def message(name):
    """Where a message is differs from the public protos to ours."""
    modules = [importlib.import_module(f"turboci.v1.{module}_pb2") for module in ("service", "workplan")]
    return next(getattr(module, name) for module in modules if hasattr(module, name))


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])


class Server:
    """A server on a socket in a folder of its own, or where it is told to listen."""

    def __init__(self, folder, *options, listen=None, credentials=None):
        self.log = open(f"{folder}/server.log", "ab+")
        before = len(self.events())
        self.process = subprocess.Popen([TURBOCID, "--store", f"{folder}/plan.db", "--listen",
                                         listen or f"unix:{folder}/s.sock", *options], stderr=self.log)
        self.url = self.await_event("listening", before)["address"]
        self.channel = self.connect(credentials)
        grpc.channel_ready_future(self.channel).result(timeout=60)
        self.stub = stub_of(self.channel, "service", "TurboCIOrchestrator")

    def connect(self, credentials=None):
        return grpc.secure_channel(self.url, credentials) if credentials else grpc.insecure_channel(self.url)

    def events(self):
        lines = pathlib.Path(self.log.name).read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def await_event(self, name, after=0):
        return self.await_line(lambda line: line.get("event") == name, after)

    def await_call(self, method):
        """The line of a call; it is written after its answer."""
        return self.await_line(lambda line: method in line.get("method", ""))

    def await_line(self, fits, after=0):
        deadline = time.monotonic() + 60
        while True:
            for event in self.events()[after:]:
                if fits(event):
                    return event
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(pathlib.Path(self.log.name).read_text())
            time.sleep(0.01)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        status = self.process.wait(timeout=120)
        self.channel.close()
        self.log.close()
        return status


class Case(unittest.TestCase):
    options = ()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.server = Server(self.folder.name, *self.options)
        self.addCleanup(lambda: self.server.process.poll() is None and self.server.stop())
        self.stub = self.server.stub

    def make_plan(self):
        return self.stub.CreateWorkPlan(message("CreateWorkPlanRequest")(metadata={"k": "v"})).work_plan.id

    def write(self, plan, checks=(), stages=()):
        return self.stub.WriteNodes(message("WriteNodesRequest")(work_plan_id=plan, checks=checks, stages=stages))

    def states(self, plan):
        found = self.stub.QueryNodes(
            message("QueryNodesRequest")(work_plan_id=plan, include_checks=True, include_stages=True))
        return {node.id: node.state for node in [*found.checks, *found.stages]}

    def refused(self, code, call, *arguments, **keywords):
        with self.assertRaises(grpc.RpcError) as caught:
            call(*arguments, **keywords)
        self.assertEqual(caught.exception.code(), code, caught.exception.details())
        return caught.exception
