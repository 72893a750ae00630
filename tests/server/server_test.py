#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client in another language, with stubs of the public protos alone: server_test.py TURBOCID TURBOCI [TEST...]

Exits with 77 where this Python has no gRPC."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time

import harness
from harness import TURBOCI, TURBOCID, Case, Server, grpc

harness.load_stubs("tests/proto/public")
from turboci.v1 import check_pb2, common_pb2, service_pb2, service_pb2_grpc, stage_pb2, workplan_pb2  # noqa: E402


class StockClient(Case):
    """What clients of the public service rely on."""

    def test_plans(self):
        plan = self.make_plan()
        self.assertEqual(self.stub.GetWorkPlan(workplan_pb2.GetWorkPlanRequest(id=plan)).work_plan.version, 1)
        for wrong, code in (("", grpc.StatusCode.INVALID_ARGUMENT), ("nope", grpc.StatusCode.NOT_FOUND),
                            (plan[:8], grpc.StatusCode.NOT_FOUND), ("@latest", grpc.StatusCode.NOT_FOUND)):
            self.refused(code, self.stub.GetWorkPlan, workplan_pb2.GetWorkPlanRequest(id=wrong))
            self.refused(code, self.write, wrong)

    def test_claim_by_uid_then_complete_then_final(self):
        plan = self.make_plan()
        check = check_pb2.CheckWrite(id="c", kind="build", state=common_pb2.CHECK_STATE_PLANNED)
        stage = stage_pb2.StageWrite(id="s", assignments=[stage_pb2.Assignment(target_check_id="c")])
        answer = self.write(plan, [check], [stage])
        self.assertEqual(answer.checks[0].state, common_pb2.CHECK_STATE_WAITING)
        self.assertEqual(answer.stages[0].attempts[0].state, common_pb2.ATTEMPT_STATE_PENDING)
        claim = stage_pb2.StageWrite(id="s", current_attempt=stage_pb2.AttemptWrite(process_uid="w1"))
        self.assertEqual(self.write(plan, stages=[claim]).stages[0].attempts[0].state,
                         common_pb2.ATTEMPT_STATE_RUNNING)
        self.write(plan, stages=[claim])
        other = stage_pb2.StageWrite(id="s", current_attempt=stage_pb2.AttemptWrite(
            process_uid="w2", state=common_pb2.ATTEMPT_STATE_RUNNING))
        self.refused(grpc.StatusCode.ABORTED, self.write, plan, stages=[other])
        self.write(plan, stages=[stage_pb2.StageWrite(
            id="s", current_attempt=stage_pb2.AttemptWrite(state=common_pb2.ATTEMPT_STATE_COMPLETE))])
        self.write(plan, stages=[stage_pb2.StageWrite(id="s", state=common_pb2.STAGE_STATE_FINAL)])
        self.assertEqual(self.states(plan), {"c": common_pb2.CHECK_STATE_FINAL, "s": common_pb2.STAGE_STATE_FINAL})

    def test_edges_without_a_condition_are_satisfied_by_any_end(self):
        plan = self.make_plan()
        needs = common_pb2.DependencyGroup(dependencies=[common_pb2.Dependency(target_id="first")])
        self.write(plan, [check_pb2.CheckWrite(id="first", state=common_pb2.CHECK_STATE_PLANNED),
                          check_pb2.CheckWrite(id="next", state=common_pb2.CHECK_STATE_PLANNED, dependencies=needs)])
        failure = common_pb2.Failure(message="boom")
        self.write(plan, [check_pb2.CheckWrite(
            id="first", state=common_pb2.CHECK_STATE_FINAL,
            result=check_pb2.CheckResultWrite(owner_type="tool", owner_id="1", finalize=True, failure=failure))])
        self.assertEqual(self.states(plan)["next"], common_pb2.CHECK_STATE_WAITING)

    def test_numbers_that_are_no_state_and_unknown_targets_are_refused_with_their_fields(self):
        plan = self.make_plan()
        error = self.refused(grpc.StatusCode.INVALID_ARGUMENT, self.write, plan,
                             [check_pb2.CheckWrite(id="a"), check_pb2.CheckWrite(id="b", state=15)])
        self.assertIn("checks[1].state", error.details())
        ghost = common_pb2.DependencyGroup(dependencies=[common_pb2.Dependency(target_id="ghost")])
        error = self.refused(grpc.StatusCode.INVALID_ARGUMENT, self.write, plan,
                             [check_pb2.CheckWrite(id="a", dependencies=ghost)])
        self.assertIn("checks[0].dependencies.dependencies[0].target_id", error.details())
        self.assertEqual(self.states(plan), {})

    def test_a_query_leaves_out_what_is_not_there(self):
        plan = self.make_plan()
        self.write(plan, [check_pb2.CheckWrite(id="a")])
        found = self.stub.QueryNodes(service_pb2.QueryNodesRequest(
            work_plan_id=plan, check_ids=["a", "later"], include_checks=True))
        self.assertEqual([check.id for check in found.checks], ["a"])

    def test_runners_claim_their_work(self):
        self.stub.ListStageRunners(service_pb2.ListStageRunnersRequest())
        error = self.refused(grpc.StatusCode.UNIMPLEMENTED, self.stub.RegisterStageRunner,
                             service_pb2.RegisterStageRunnerRequest(runner_id="r"))
        self.assertIn("ClaimAttempts", error.details())


class Watch(Case):
    def test_a_watch_tells_each_move_once_and_then_the_end(self):
        plan = self.make_plan()
        stream = self.stub.WatchWorkPlan(service_pb2.WatchWorkPlanRequest(work_plan_id=plan, include_checks=True))
        stream.initial_metadata()  # from now on it misses nothing
        for i in range(20):
            self.write(plan, [check_pb2.CheckWrite(id=f"c{i}", state=common_pb2.CHECK_STATE_WAITING)])
        for i in range(20):
            self.write(plan, [check_pb2.CheckWrite(id=f"c{i}", state=common_pb2.CHECK_STATE_FINAL)])
        seen = []
        for event in stream:
            if event.HasField("completed_event"):
                self.assertEqual(event.completed_event.checks_completed, 20)
                break
            seen.append((event.check_event.check_id, event.check_event.new_state))
        stream.cancel()
        finals = [check for check, state in seen if state == common_pb2.CHECK_STATE_FINAL]
        self.assertEqual(finals, [f"c{i}" for i in range(20)])
        self.assertEqual(len(seen), len(set(seen)))

    def test_commits_of_other_processes_are_seen(self):
        plan = self.make_plan()
        stream = self.stub.WatchWorkPlan(service_pb2.WatchWorkPlanRequest(work_plan_id=plan, include_checks=True))
        stream.initial_metadata()
        subprocess.run([TURBOCI, "--store", f"{self.folder.name}/plan.db", "-p", plan, "nodes", "write", "-"],
                       input=b"checks: [{id: other, state: WAITING}]", check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(next(stream).check_event.check_id, "other")
        stream.cancel()

    def test_the_server_stops_although_somebody_watches(self):
        plan = self.make_plan()
        stream = self.stub.WatchWorkPlan(service_pb2.WatchWorkPlanRequest(work_plan_id=plan, include_checks=True))
        stream.initial_metadata()
        begun = time.monotonic()
        self.assertEqual(self.server.stop(), 0)
        self.assertLess(time.monotonic() - begun, 30)
        self.refused(grpc.StatusCode.UNAVAILABLE, next, stream)


class Durability(Case):
    def test_what_was_acknowledged_is_there_after_a_kill(self):
        plan = self.make_plan()
        acknowledged, lock = set(), threading.Lock()

        def client(number):
            for i in range(10_000):
                name = f"c{number}-{i}"
                try:
                    self.write(plan, [check_pb2.CheckWrite(id=name)])
                except grpc.RpcError:
                    return
                with lock:
                    acknowledged.add(name)

        clients = [threading.Thread(target=client, args=(number,)) for number in range(16)]
        for thread in clients:
            thread.start()
        deadline = time.monotonic() + 60
        while len(acknowledged) < 200 and time.monotonic() < deadline:
            time.sleep(0.01)
        self.server.stop(signal.SIGKILL)
        for thread in clients:
            thread.join()
        self.assertGreater(len(acknowledged), 16)
        self.server = Server(self.folder.name)
        self.stub = self.server.stub
        there = self.states(plan)
        self.assertEqual(acknowledged - there.keys(), set())
        # Each write is one version, and none was done twice.
        version = self.stub.GetWorkPlan(workplan_pb2.GetWorkPlanRequest(id=plan)).work_plan.version
        self.assertEqual(version, 1 + len(there))


class Tokens(Case):
    def setUp(self):
        with tempfile.NamedTemporaryFile("w", suffix=".tokens", delete=False) as file:
            file.write("viewer read viewer-token-123456\nci read,write,work ci-token-1234567890\n")
        os.chmod(file.name, 0o600)
        self.addCleanup(os.unlink, file.name)
        self.options = ("--token-file", file.name)
        super().setUp()

    def test_who_may_do_what(self):
        request = workplan_pb2.CreateWorkPlanRequest()
        for metadata, code in (((), grpc.StatusCode.UNAUTHENTICATED),
                               ((("authorization", "Bearer wrong-token-123456"),), grpc.StatusCode.UNAUTHENTICATED),
                               ((("authorization", "viewer-token-123456"),), grpc.StatusCode.UNAUTHENTICATED),
                               ((("authorization", "Bearer viewer-token-123456"),), grpc.StatusCode.PERMISSION_DENIED)):
            self.refused(code, self.stub.CreateWorkPlan, request, metadata=metadata)
        self.stub.CreateWorkPlan(request, metadata=(("authorization", "Bearer ci-token-1234567890"),))

    def turboci(self, *arguments, text=None, **variables):
        return subprocess.run([TURBOCI, *arguments], input=text, text=True, capture_output=True, cwd=self.folder.name, env={
            **os.environ, "TURBOCI_STORE": f"grpc+{self.server.url.replace('unix:', 'unix://')}", "T": TURBOCI, **variables})

    def test_an_attempt_reads_its_plan_and_writes_from_inside_and_nothing_else(self):
        credentials = f"{self.folder.name}/token"
        pathlib.Path(credentials).write_text("ci-token-1234567890\n")
        for plan in ("p", "other"):
            self.assertEqual(self.turboci("plan", "create", plan, TURBOCI_AUTH_FILE=credentials).returncode, 0)
        script = r"""
            unset TURBOCI_AUTH_FILE
            try() { name=$1; shift; "$T" "$@" > out 2> err && echo "$name done" >> said || echo "$name $?" >> said; }
            try query nodes query
            try report check report c --pass
            try watch wait check:c --timeout 10ms
            try export plan export
            try list plan list
            try elsewhere -p other nodes query
            try create plan create third
            try delete plan delete p --force --yes
            try claim attempt claim
            echo "$TURBOCI_TOKEN" > the-token
        """
        nodes = {"checks": [{"id": "c", "state": "PLANNED"}],
                 "stages": [{"id": "s", "assignments": ["c"], "args": {"command": script}}]}
        done = self.turboci("-p", "p", "nodes", "write", "-", text=json.dumps(nodes), TURBOCI_AUTH_FILE=credentials)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = self.turboci("-p", "p", "run", TURBOCI_AUTH_FILE=credentials)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        said = dict(line.split() for line in pathlib.Path(f"{self.folder.name}/said").read_text().splitlines())
        for name in ("query", "report", "export"):
            self.assertEqual(said.get(name), "done", said)
        self.assertEqual(said.get("watch"), "8", said)
        for name in ("list", "elsewhere", "create", "delete", "claim"):
            self.assertEqual(said.get(name), "2", said)
        token = pathlib.Path(f"{self.folder.name}/the-token").read_text().strip()
        for stale in (token, token[:-1] + ("0" if token[-1] != "0" else "1")):
            done = self.turboci("-p", "p", "nodes", "query", TURBOCI_TOKEN=stale)
            self.assertEqual(done.returncode, 2, done.stdout)


class Certificates:
    """An authority, and what it signs, as files in a folder."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout",
                     self.path("key"), "-out", self.path("pem"))

    def path(self, suffix):
        return f"{self.folder}/{self.name}.{suffix}"

    @staticmethod
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def sign(self, name, alternative):
        """Returns the paths of a certificate and its key."""
        key, request, certificate, extra = (f"{self.folder}/{name}.{end}" for end in ("key", "csr", "pem", "ext"))
        pathlib.Path(extra).write_text(f"subjectAltName={alternative}\n")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.path("pem"), "-CAkey", self.path("key"), "-CAcreateserial",
                     "-days", "2", "-extfile", extra, "-out", certificate)
        return certificate, key


def read(path):
    return pathlib.Path(path).read_bytes()


class Tls(Case):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.authority = Certificates(self.folder.name, "authority")
        self.certificate, self.key = self.authority.sign("server", "IP:127.0.0.1")
        self.roots = read(self.authority.path("pem"))

    def serve(self, *options, credentials):
        self.server = Server(self.folder.name, "--tls-cert", self.certificate, "--tls-key", self.key, *options,
                             listen="127.0.0.1:0", credentials=credentials)
        self.addCleanup(lambda: self.server.process.poll() is None and self.server.stop())

    def create(self, credentials=None, metadata=()):
        """The status of a call on a connection of its own."""
        with self.server.connect(credentials) as channel:
            try:
                service_pb2_grpc.TurboCIOrchestratorStub(channel).CreateWorkPlan(
                    workplan_pb2.CreateWorkPlanRequest(), metadata=metadata, timeout=60)
            except grpc.RpcError as error:
                return error.code()
        return grpc.StatusCode.OK

    def turboci(self, **variables):
        return subprocess.run([TURBOCI, "--store", f"grpcs://{self.server.url}", "--lock-timeout", "1s", "plan", "list"],
                              env={**os.environ, **variables}, capture_output=True, text=True, cwd=self.folder.name)

    def test_a_server_beyond_this_machine_needs_tls_and_knows_its_callers(self):
        tls = ("--tls-cert", self.certificate, "--tls-key", self.key)
        for options in ((), tls, ("--client-ca", self.authority.path("pem"))):
            done = subprocess.run([TURBOCID, "--store", f"{self.folder.name}/plan.db", "--listen", "0.0.0.0:0", *options],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("needs TLS" if "--client-ca" not in options else "need TLS", done.stderr.replace(" that ", " "))
        self.assertFalse(os.path.exists(f"{self.folder.name}/plan.db"))

    def test_tokens_over_tls(self):
        tokens = f"{self.folder.name}/tokens"
        pathlib.Path(tokens).write_text("ci write,read ci-token-1234567890\n")
        os.chmod(tokens, 0o600)
        known = grpc.ssl_channel_credentials(self.roots)
        self.serve("--token-file", tokens, credentials=known)
        token = (("authorization", "Bearer ci-token-1234567890"),)
        self.assertEqual(self.create(known, token), grpc.StatusCode.OK)
        self.assertEqual(self.create(known), grpc.StatusCode.UNAUTHENTICATED)
        self.assertEqual(self.create(None, token), grpc.StatusCode.UNAVAILABLE)
        other = Certificates(self.folder.name, "other")
        self.assertEqual(self.create(grpc.ssl_channel_credentials(read(other.path("pem"))), token),
                         grpc.StatusCode.UNAVAILABLE)
        done = self.turboci(TURBOCI_CA=self.authority.path("pem"), TURBOCI_AUTH_FILE=tokens)
        self.assertEqual(done.returncode, 2, done.stderr)  # the first word of a line is a name, no token
        pathlib.Path(f"{self.folder.name}/token").write_text("ci-token-1234567890\n")
        done = self.turboci(TURBOCI_CA=self.authority.path("pem"), TURBOCI_AUTH_FILE=f"{self.folder.name}/token")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = self.turboci(TURBOCI_AUTH_FILE=f"{self.folder.name}/token")
        self.assertEqual(done.returncode, 7, done.stderr)

    def test_callers_with_certificates(self):
        certificate, key = self.authority.sign("caller", "DNS:ci.example")
        known = grpc.ssl_channel_credentials(self.roots, read(key), read(certificate))
        self.serve("--client-ca", self.authority.path("pem"), credentials=known)
        self.assertEqual(self.create(known), grpc.StatusCode.OK)
        self.assertEqual(self.server.await_call("CreateWorkPlan")["identity"], "ci.example")
        self.assertEqual(self.create(grpc.ssl_channel_credentials(self.roots)), grpc.StatusCode.UNAVAILABLE)
        strange = Certificates(self.folder.name, "strange").sign("stranger", "DNS:ci.example")
        self.assertEqual(self.create(grpc.ssl_channel_credentials(self.roots, read(strange[1]), read(strange[0]))),
                         grpc.StatusCode.UNAVAILABLE)
        done = self.turboci(TURBOCI_CA=self.authority.path("pem"), TURBOCI_CERT=certificate, TURBOCI_CERT_KEY=key)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = self.turboci(TURBOCI_CA=self.authority.path("pem"), TURBOCI_CERT=certificate)
        self.assertEqual(done.returncode, 2, done.stderr)

    def test_certificates_are_read_again_on_sighup(self):
        self.serve(credentials=grpc.ssl_channel_credentials(self.roots))
        renewed = Certificates(self.folder.name, "renewed")
        certificate, key = renewed.sign("next", "IP:127.0.0.1")
        next_roots = grpc.ssl_channel_credentials(read(renewed.path("pem")))
        self.assertEqual(self.create(next_roots), grpc.StatusCode.UNAVAILABLE)
        for new, old in ((certificate, self.certificate), (key, self.key)):
            os.replace(new, old)
        self.server.process.send_signal(signal.SIGHUP)
        self.server.await_event("certificates were read again")
        self.assertEqual(self.create(next_roots), grpc.StatusCode.OK)
        self.assertEqual(self.create(grpc.ssl_channel_credentials(self.roots)), grpc.StatusCode.UNAVAILABLE)
        # A connection that is open goes on.
        self.server.stub.CreateWorkPlan(workplan_pb2.CreateWorkPlanRequest())
        os.truncate(self.key, 0)
        before = len(self.server.events())
        self.server.process.send_signal(signal.SIGHUP)
        self.server.await_event(f"{self.key} is empty", before)
        self.assertEqual(self.create(next_roots), grpc.StatusCode.OK)


class Command(Case):
    def url(self):
        return f"grpc+{self.server.url.replace('unix:', 'unix://')}"

    def turboci(self, *arguments, text=None):
        done = subprocess.run([TURBOCI, "--store", self.url(), *arguments], input=text, text=True, capture_output=True,
                              cwd=self.folder.name)
        return done.returncode, done.stdout, done.stderr

    def test_a_run_on_a_server(self):
        self.turboci("plan", "create", "p")
        status, _, error = self.turboci("nodes", "write", "-", text="""
checks: [{id: built, state: PLANNED}, {id: tested, state: PLANNED, dependencies: [built]}]
stages:
  - {id: build, args: {command: echo built > out.txt}, assignments: [built]}
  - {id: test, args: {command: "cat out.txt; turboci-is-not-needed || true"}, dependencies: [built], assignments: [tested]}
""")
        self.assertEqual((status, error), (0, ""))
        status, _, error = self.turboci("run", "-j2")
        self.assertEqual(status, 0, error)
        self.assertEqual(self.turboci("gate")[0], 0)
        nodes = json.loads(self.turboci("nodes", "query", "-o", "json")[1])
        self.assertEqual([check["outcome"] for check in nodes["checks"]], ["passed", "passed"])

    def test_what_a_run_prints_is_read_from_anywhere(self):
        self.turboci("plan", "create", "p")
        self.turboci("nodes", "write", "-", text="""
stages:
  - {id: long, args: {command: "seq 1 100000"}}
  - {id: bad, args: {command: "echo why; exit 3"}}
  - {id: slow, args: {command: "echo begin; until [ -e go ]; do sleep 0.05; done; echo end"}}
""")
        runner = subprocess.Popen([TURBOCI, "--store", self.url(), "run", "-j3"], stderr=subprocess.PIPE, text=True,
                                  cwd=self.folder.name)
        with tempfile.TemporaryDirectory() as elsewhere:
            follow = subprocess.Popen([TURBOCI, "--store", self.url(), "logs", "-f", "slow"], stdout=subprocess.PIPE,
                                      text=True, cwd=elsewhere)
            self.assertEqual(follow.stdout.readline(), "begin\n")  # while it runs
            pathlib.Path(self.folder.name, "go").touch()
            self.assertEqual(follow.stdout.read(), "end\n")
            self.assertEqual(follow.wait(20), 0)
            self.assertEqual(runner.wait(20), 1, runner.communicate()[1])
            logs = subprocess.run([TURBOCI, "--store", self.url(), "logs", "long"], capture_output=True, text=True,
                                  cwd=elsewhere)
            self.assertEqual(logs.stdout, "".join(f"{n}\n" for n in range(1, 100001)))
            tail = subprocess.run([TURBOCI, "--store", self.url(), "logs", "--failed", "--tail", "1"],
                                  capture_output=True, text=True, cwd=elsewhere)
            self.assertEqual(tail.stdout, "why\n")
            report = subprocess.run([TURBOCI, "--store", self.url(), "plan", "show", "--format", "markdown"],
                                    capture_output=True, text=True, cwd=elsewhere)
            self.assertIn("why", report.stdout)
        stages = json.loads(self.turboci("nodes", "query", "bad", "-o", "json")[1])["stages"]
        self.assertEqual(stages[0]["attempts"][0]["log"], {"bytes": 4, "dropped": 0})

    def test_errors_name_the_places_of_the_file(self):
        self.turboci("plan", "create", "p")
        local = subprocess.run([TURBOCI, "--store", "local.db", "plan", "create", "p"], cwd=self.folder.name)
        self.assertEqual(local.returncode, 0)
        for text in ("checks:\n  - {id: a, dependencies: [ghost]}\n", "checks:\n  - {id: a}\n  - {id: a}\n",
                     "stages:\n  - {id: s, assignments: [none], timeout: 5s}\n", "checks: [{id: a}]\n"):
            here = subprocess.run([TURBOCI, "--store", "local.db", "nodes", "write", "-"], input=text, text=True,
                                  capture_output=True, cwd=self.folder.name)
            self.assertEqual(self.turboci("nodes", "write", "-", text=text), (here.returncode, here.stdout, here.stderr))


if __name__ == "__main__":
    harness.main()
