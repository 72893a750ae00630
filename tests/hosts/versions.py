#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A migration by a newer version, while programs of this one are at work: what may not write any more is refused, what
may not read either, too, and nothing is touched. When they may again, they go on."""
import json

import harness

COMMANDS = (["-q", "-p", "p", "nodes", "write", "-"], ["-p", "p", "plan", "cancel"], ["plan", "create", "new"],
            ["plan", "delete", "p"], ["-p", "p", "plan", "tick"], ["worker", "--once", "-q"])


def contents(server):
    """All that the tables hold, but for what the versions may be."""
    tables = server.sql("SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'turboci' AND relname <> 'meta' "
                        "ORDER BY relname", "ci").split()
    return {table: server.sql(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM turboci.{table} t", "ci")
            for table in tables}


def main():
    options = harness.arguments()
    text = json.dumps({"checks": [{"id": "more"}]})
    with harness.World() as world:
        server, program = harness.new_store(world, options.turboci)
        program.must("plan", "create", "p")
        stages = [{"id": f"s{i}", "args": {"command": "sleep 0.2"}} for i in range(40)]
        program.must("-q", "-p", "p", "nodes", "write", "-", text=json.dumps({"stages": stages}))
        worker = world.start(*program.command, "worker", "-q", "-j", 1, stderr=harness.subprocess.DEVNULL)
        harness.await_true("a stage has passed", lambda: program.nodes("p", "--outcome", "passed")["stages"])
        server.sql("UPDATE turboci.meta SET writes_from = writes_from + 1", "ci")
        # A write that had begun may still end; then nothing more comes, from the worker neither. Its sign of life is
        # of no plan, and ends with it.
        harness.time.sleep(2)
        passed = len(program.nodes("p", "--outcome", "passed")["stages"])
        harness.time.sleep(2)
        assert len(program.nodes("p", "--outcome", "passed")["stages"]) == passed < len(stages), "the worker goes on"
        worker.kill()
        worker.wait()
        harness.time.sleep(1)
        before, refused = contents(server), 0
        assert len(before) > 5
        for command in COMMANDS:
            done = program.run(*command, text=text)
            assert done.returncode != 0, f"{command} was not refused"
            assert "newer" in done.stderr or "version" in done.stderr, done.stderr
            refused += 1
        assert program.nodes("p")["stages"], "it may still read"
        server.sql("UPDATE turboci.meta SET reads_from = reads_from + 1", "ci")
        for command in (*COMMANDS, ["plan", "list"], ["-p", "p", "nodes", "query"], ["-p", "p", "plan", "export"]):
            done = program.run(*command, text=text)
            assert done.returncode != 0, f"{command} was not refused"
            refused += 1
        touched = [table for table, now in contents(server).items() if now != before[table]]
        print(f"versions: {refused} commands refused, {len(touched)} tables touched", flush=True)
        assert not touched
        # The control: what they would have done shows when they may.
        server.sql("UPDATE turboci.meta SET reads_from = reads_from - 1, writes_from = writes_from - 1", "ci")
        program.must(*COMMANDS[0], text=text)
        assert contents(server) != before


main()
