#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The services of our own, by a client in another language: own_services_test.py TURBOCID TURBOCI [TEST...]"""
import signal

import harness
from harness import Case, Server, grpc, stub_of

harness.load_stubs("proto")
from turboci.v1 import (admin_pb2, common_pb2, model_pb2, plans_pb2, service_pb2, stage_pb2,  # noqa: E402
                        worker_pb2)


class Output(Case):
    """What attempts print, and who prints it."""

    def setUp(self):
        super().setUp()
        self.plan = self.make_plan()
        self.write(self.plan, stages=[stage_pb2.StageWrite(id="s")])
        self.connect()
        claimed = self.worker.ClaimAttempts(worker_pb2.ClaimAttemptsRequest(
            work_plan_id=self.plan, worker_uid="w", process_uid="me")).claimed
        self.token = claimed[0].attempt_token

    def connect(self):
        self.worker = stub_of(self.server.channel, "worker", "TurboCIWorker")
        self.plans = stub_of(self.server.channel, "plans", "TurboCIPlans")
        self.admin = stub_of(self.server.channel, "admin", "TurboCIAdmin")

    def append(self, seq, data):
        return self.worker.AppendLog(worker_pb2.AppendLogRequest(
            attempt_token=self.token, seq=seq, data=data)).next_seq

    def read(self, **what):
        return list(self.plans.ReadLogs(plans_pb2.ReadLogsRequest(
            selection=service_pb2.QueryNodesRequest(work_plan_id=self.plan), **what)))

    def test_parts_survive_a_kill_and_are_appended_once(self):
        self.assertEqual(self.append(0, b"one\n"), 1)
        self.server.stop(signal.SIGKILL)
        self.server = Server(self.folder.name)
        self.connect()
        self.assertEqual(self.append(0, b"one\n"), 1)
        self.assertEqual(self.append(1, b"two\n\xff"), 2)
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, self.worker.AppendLog,
                     worker_pb2.AppendLogRequest(attempt_token=self.token, seq=3, data=b"x"))
        named = [model_pb2.AttemptRef(stage_id="s", idx=1)]
        parts = self.read(attempts=named)
        self.assertEqual(b"".join(part.data for part in parts), b"one\ntwo\n\xff")
        self.assertFalse(any(part.end for part in parts))
        self.assertEqual(b"".join(part.data for part in self.read(attempts=named, offset=4)), b"two\n\xff")
        self.assertEqual(b"".join(part.data for part in self.read(attempts=named, tail_bytes=1)), b"\xff")
        self.refused(grpc.StatusCode.NOT_FOUND, self.read, attempts=[model_pb2.AttemptRef(stage_id="s", idx=2)])

    def test_a_follower_gets_what_comes_and_the_end(self):
        self.append(0, b"one\n")
        followed = self.plans.ReadLogs(plans_pb2.ReadLogsRequest(
            selection=service_pb2.QueryNodesRequest(work_plan_id=self.plan), follow=True), timeout=20)
        first = next(followed)
        self.assertEqual((first.data, first.attempt.stage_id, first.attempt.idx), (b"one\n", "s", 1))
        self.append(1, b"two\n")
        self.assertEqual(next(followed).data, b"two\n")
        self.worker.EndAttempt(worker_pb2.EndAttemptRequest(
            attempt_token=self.token, state=common_pb2.ATTEMPT_STATE_COMPLETE,
            log_json='{"bytes": 8, "dropped": 0}'))
        rest = list(followed)
        self.assertEqual([(part.data, part.end) for part in rest], [(b"", True)])
        verdict = self.plans.Judge(plans_pb2.JudgeRequest(
            selection=service_pb2.QueryNodesRequest(work_plan_id=self.plan, include_stages=True)))
        self.assertEqual(verdict.verdict, model_pb2.VERDICT_PASSED)

    def test_workers_are_listed_and_drained(self):
        beat = worker_pb2.BeatRequest(worker_uid="w", name="one", runners=["gpu"], held=[self.token])
        answer = self.worker.Beat(beat)
        self.assertFalse(answer.drain)
        self.assertEqual(answer.attempts[0].state, common_pb2.ATTEMPT_STATE_RUNNING)
        workers = self.admin.ListWorkers(admin_pb2.ListWorkersRequest()).workers
        self.assertEqual([(w.uid, w.name, list(w.runners), w.draining, w.held) for w in workers],
                         [("w", "one", ["gpu"], False, 1)])
        self.refused(grpc.StatusCode.NOT_FOUND, self.admin.DrainWorker,
                     admin_pb2.DrainWorkerRequest(name="two"))
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, self.admin.DrainWorker, admin_pb2.DrainWorkerRequest())
        self.admin.DrainWorker(admin_pb2.DrainWorkerRequest(name="one"))
        self.assertTrue(self.worker.Beat(beat).drain)


if __name__ == "__main__":
    harness.main()
