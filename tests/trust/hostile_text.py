# SPDX-License-Identifier: Apache-2.0
"""Ids and messages that want to be commands, in every output format: no raw control character, no line that a CI
runner obeys, every document whole by its own grammar and true to the data."""
import json
import os
import pty
import re
import select
import shutil
import subprocess
import time
import xml.etree.ElementTree

import trust

# Legal as ids: no control, invisible or direction characters, no blank at the ends.
IDS = ["::error::pwned", "##[error]pwned", "##vso[task.complete result=Failed]pwned", "::stop-commands::pwned", "::add-mask::e", "##teamcity[buildStop]", "%s%n%d{}{0}",
       '"]; evil [label="x', "a\\nb\\", "a\\", "<script>alert(1)</script>", "]]><x>", "--><!--", "&amp;&lt;&#10;", "a|b||c", "`x` ``y``", "[x](javascript:y)", "$(touch pwned)", "`touch pwned`",
       "'; drop table nodes; --", "\ufff9gnp.exe", "\ufffax\ufffb", "\u200czero", "\u206fmark", "line\u00a0::error::pwned", "paragraph\u3000::error::pwned", "\U000e0041soft", "e\u0301\u0301\u0301", "\U0001f469\u200d\U0001f4bb", "\U0010ffff",
       "\ufffe", "- x: y", "? x", "# x", "!x", "&x", "*x", "null", "true", "1e3", "0755", "{x: y}", "[x", "---", "...", "end", "subgraph", "graph TD", "click x", "x" * 256,
       "\u4e2d" * 85, "-rf", "--help", "@file", "~", "../../etc/passwd", "a/b", "a b  c", "<br/>", "#quot;", "#35;", "\\l\\r\\G", "%%{init: {}}%%", "classDef x", "section_end:0:x"]
# Also legal in what is reported: everything but NUL.
MESSAGES = ["\n::error::pwned", "\r::error::pwned", "x\n##[error]pwned", "x\r\n##vso[task.complete]pwned", "x\r##[group]pwned", "  ::stop-commands::pwned", "\t::add-mask::pwned", "\x1b[2Jx", "\x1b]0;title\x07",
            "\x1b[5n", "\x9b2J", "\x9d0;x\x9c", "\x85::error::pwned", "\x0b::error::pwned", "\x0c::error::pwned", "\x7f\x08\x08", "a\u202eb\u2066c", "\x00"[:0] + "\x01\x02\x1f", "x\n\n\n", "]]>\x1b", "%0A::error::pwned",
            "\u2028::error::pwned", "x" * 5000, "\n" * 50 + "::error::pwned", "\x1b[0Ksection_start:1:x\r\x1b[0K", "\x1b[31m" * 50]

CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
ASCII_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f]")
COMMAND = re.compile(r"(?:^|[\n\r])[ \t\v\f]*(::[a-z-]|##\[|##vso\[)")
ANYWHERE = re.compile(r"##\[|##vso\[")
OWN_GITHUB = re.compile(r"::(?:group::|endgroup::$|(?:error|warning|notice)(?: title=[^:\r\n]*)?::)")
OWN_GITLAB = re.compile(r"\x1b\[0Ksection_(?:start|end):\d+:[a-z0-9_]+(?:\[collapsed=true\])?\r\x1b\[0K")
OWN_TERMINAL = re.compile(r"\x1b\[[0-9;]*[mKAGJ]|\x1b\[\?(?:25|7|2026)[hl]")


def bad_text(data, human=True, own=None):
    """What is wrong with output, or None. `own`: what the program itself may write."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as e:
        return f"not UTF-8: {e}"
    if own is OWN_GITHUB:
        text = "\n".join("" if own.match(line) and "::stop-commands" not in line[:18] and not re.match(r"::group::\s*::", line) else line for line in text.split("\n"))
    elif own:
        text = own.sub("", text)
        if own is OWN_TERMINAL:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
    match = (CONTROLS if human else ASCII_CONTROLS).search(text)
    if match:
        return f"control character {match[0]!r} in {text[max(match.start() - 40, 0):match.end() + 20]!r}"
    match = COMMAND.search(text) or (ANYWHERE.search(text) if human else None)
    return f"a command for a CI runner: {text[match.start():match.end() + 40]!r}" if match else None


class Looker:
    def __init__(self, ctx, t, directory):
        self.ctx, self.t, self.directory = ctx, t, directory
        self.store = str(directory / "s.db")
        self.p = ("-s", self.store, "-p", "hostile")

    def look(self, what, *args, human=True, own=None, codes=(0,), env=None, stdin=b"", stderr=True):
        result = self.ctx.run(*self.p, *args, timeout=30, env=self.ctx.environment(**(env or {})), stdin=stdin, cwd=self.directory)
        self.t.count("outputs")
        self.t.expect(not result.crash(), "wrong", f"{what}: {result.crash()}")
        self.t.expect(result.code in codes, "wrong", f"{what}: exit {result.code}: {result.said[:300]}")
        for name, data, human_ in (("stdout", result.out, human), ("stderr", result.err, not result.err.startswith(b'{"error":'))):
            problem = bad_text(data, human_, own)
            self.t.expect(not problem, "commands" if problem and "command" in problem else "raw", f"{what}: {name}: {problem}")
        return result

    def fill(self):
        """A plan with all the ids, and messages wherever a command takes one."""
        checks = [{"id": i, "kind": i, "state": "PLANNED", "options": {i: i}} for i in IDS]
        stages = [{"id": i, "args": {"command": ["sh", "-c", 'printf "%s\\n" "$0"; printf "%s" "$1"; exit 3', i, m], "env": {"X": i}}, "dependencies": [f"check:{d}"] if d else [], "assignments": [i]}
                  for i, m, d in zip(IDS, MESSAGES * 9, [None] * (len(IDS) - 5) + IDS[:5])]
        more = [{"id": f"after {i}"[:250], "state": "PLANNED", "dependencies": {"any": [f"check:{i}", {"node": f"stage:{i}", "when": "failure"}]}} for i in IDS[:8]]
        plan = json.dumps({"plan": {IDS[0]: IDS[1]}, "checks": checks + more, "stages": stages}).encode()
        self.look("plan create", "plan", "create", "hostile", "-f", "-", "--label", f"{IDS[4]}={IDS[0]}", stdin=plan)
        self.ctx.must(*self.p, "nodes", "query")
        for i, message in enumerate(MESSAGES):
            check = IDS[i]
            taken = (0, 2, 3)  # it may also be refused
            self.look("report", "check", "report", f"check:{check}", "--fail", message, "--data", json.dumps({message: message}), "--actor", message.strip() or "x", "--reason", message, codes=taken)
            stage = IDS[30 + i]
            self.look("claim", "attempt", "claim", f"stage:{stage}", "--process", message, "--reason", message, codes=taken)
            self.look("progress", "attempt", "progress", f"stage:{stage}", message, "--details", json.dumps({"m": message}), codes=(*taken, 5, 6))
            self.look("fail", "attempt", "fail", f"stage:{stage}", "--message", message, "--details", json.dumps({message: [message]}), codes=(*taken, 5, 6))

    def documents(self):
        ids = {f"check:{i}" for i in IDS} | {f"stage:{i}" for i in IDS}
        for command in (("nodes", "query"), ("plan", "list"), ("plan", "show", "hostile"), ("log",), ("gate",), ("wait", "--timeout", "0s"), ("run", "-n"), ("store", "check")):
            for form in ("table", "json", "jsonl", "yaml", "name"):
                codes = (0, 1, 8) if command[0] in ("gate", "wait", "run") else (0,)
                result = self.look(f"{' '.join(command)} -o {form}", *command, "-o", form, human=form == "table", codes=(*codes, 2))
                if result.code == 2:  # that command does not have the format
                    continue
                if form == "json" and result.out:
                    document = result.json()
                    if command == ("nodes", "query"):
                        seen = {f"{kind}:{n['id']}" for kind in ("check", "stage") for n in document[kind + "s"]}
                        self.t.expect(ids <= seen, "untrue", f"ids are missing from JSON: {sorted(ids - seen)[:3]}")
                elif form == "jsonl":
                    [json.loads(line) for line in result.out.decode().split("\n") if line]
                elif form == "yaml":
                    again = self.ctx.run("validate", "-", stdin=result.out)
                    self.t.expect("not valid YAML" not in again.said, "untrue", f"{command}: YAML that is none: {again.said[:200]}")
        self.look("plan show -v", "plan", "show", "hostile", "-v")
        self.look("nodes query -v", "nodes", "query", "-v")
        export = self.look("plan export", "plan", "export", human=False).out
        fresh = ("-s", str(self.directory / "again.db"))
        self.ctx.must(*fresh, "plan", "import", "-", stdin=export)
        self.t.expect(self.ctx.must(*fresh, "-p", "hostile", "plan", "export").out == export, "untrue", "export, import, export are not the same bytes")
        for i in IDS if self.ctx.long else IDS[::6]:
            for kind in ("check", "stage"):
                self.look("explain", "nodes", "explain", f"{kind}:{i}")
                said = self.look("explain -o json", "nodes", "explain", f"{kind}:{i}", "-o", "json", human=False)
                self.t.expect(f"{kind}:{i}" in json.dumps(said.json(), ensure_ascii=False).replace('\\"', '"').replace("\\\\", "\\"), "untrue", f"explain does not name {kind}:{i}")
                self.look("explain -o yaml", "nodes", "explain", f"{kind}:{i}", "-o", "yaml", human=False)
                self.look("log", "log", f"{kind}:{i}")
        for i in (*IDS, *MESSAGES):
            self.look("an unknown reference", "nodes", "query", "nobody" + i, codes=(2, 3, 4))
            self.look("a wrong option", "nodes", "query", "--kind=x", "--state", i, codes=(2, 3))
            self.look("a wrong command", "x" + i, codes=(2,))
        hostile_files = [json.dumps({i: 1}).encode() for i in (*IDS, *MESSAGES)] + [json.dumps({"checks": [{"id": "a", "dependencies": [i]}]}).encode() for i in (*IDS, *MESSAGES)]
        for text in hostile_files if self.ctx.long else hostile_files[::5]:
            self.look("validate", "validate", "-", stdin=text, codes=(0, 3))

    def graphs(self):
        for extra in ((), ("--collapse", "kind"), ("--rankdir", "TB")):
            dot = self.look("dot", "graph", "show", *extra, human=False).out
            problem = bad_text(dot, False)
            if shutil.which("dot"):
                drawn = subprocess.run(["dot", "-Tsvg"], input=dot, capture_output=True, timeout=120, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
                complaints = [line for line in drawn.stderr.decode().splitlines() if "pango" not in line.lower() and "fontconfig" not in line.lower()]
                self.t.expect(drawn.returncode == 0 and not complaints, "untrue", f"dot says: {complaints[:3]}")
                svg = xml.etree.ElementTree.fromstring(drawn.stdout)
                nodes = [g for g in svg.iter("{http://www.w3.org/2000/svg}g") if g.get("class") == "node"]
                self.t.expect(problem is None and (extra[:1] == ("--collapse",) or len(nodes) >= 2 * len(IDS)), "untrue", f"the drawing has {len(nodes)} nodes, {problem}")
            elif self.ctx.long:
                raise trust.Missing("no dot")
            mermaid = self.look("mermaid", "graph", "show", "--format", "mermaid", *extra).out.decode()
            for line in mermaid.split("\n")[1:]:
                bare = re.sub(r'"[^"]*"', "L", line)
                self.t.expect(re.fullmatch(r"(  )*(|end|n\d+[\[({>]*L[\])}]*(:::\w+)?|subgraph \w+(\[L\])?|direction \w+|n\d+ [-.=<>ox|L ]+ n\d+|(classDef|class|linkStyle|style) [\w,#:;%. -]+|[\w ]+ [-.=<>|ox]+ *(\|[^|]*\| *)?[\w ]+)", bare) and not re.search(r"[<>](?!br/>)", "".join(re.findall(r'"([^"]*)"', line)).replace("<br/>", "")),
                              "untrue", f"mermaid: {line!r}")
            self.look("tree", "graph", "show", "--format", "tree", *extra, codes=(0, 2))
            json.loads(self.look("graph json", "graph", "show", "--format", "json", *extra, human=False).out)

    def reports(self):
        markdown = self.look("markdown", "plan", "show", "hostile", "--format", "markdown").out.decode()
        outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown)  # code spans show what they hold as it is
        self.t.expect(not re.search(r"<(script|img|br|!--)|\]\(javascript", outside), "untrue", f"markdown with markup of the data: {outside[:200]!r}")
        junit = self.look("junit", "plan", "show", "hostile", "--format", "junit", human=False).out
        names = {case.get("name") for case in xml.etree.ElementTree.fromstring(junit).iter("testcase")}
        legal = {i for i in IDS if not re.search("[\ufffe\uffff]", i)}
        self.t.expect(legal <= names, "untrue", f"JUnit lacks {sorted(legal - names)[:3]}")
        report = self.directory / "in.xml"
        cases = "".join(f"<testcase name={xml_quote(i)} classname={xml_quote(i)}><failure message={xml_quote(i)}>{xml_text(i)}</failure></testcase>" for i in legal)
        report.write_text(f"<testsuite name={xml_quote(IDS[0])}>{cases}</testsuite>", encoding="utf-8")
        self.look("a JUnit report", "check", "report", f"check:{IDS[40]}", "--junit", str(report), codes=(0, 1, 3, 5))
        report.write_bytes(b"<testsuite><testcase name='\x1b::error::'></testsuite>")
        self.look("a bad JUnit report", "check", "report", f"check:{IDS[41]}", "--junit", str(report), codes=(2, 3, 5))

    def runs(self):
        for name, env, own in (("GitHub", {"GITHUB_ACTIONS": "true"}, OWN_GITHUB), ("GitLab", {"GITLAB_CI": "true"}, OWN_GITLAB), ("plain", {}, None)):
            copy = str(self.directory / f"{name}.db")
            self.ctx.must("-s", self.store, "store", "backup", copy)
            before, self.p = self.p, ("-s", copy, "-p", "hostile")
            self.look(f"run, {name}", "run", "-j2", env=env, own=own, codes=(1, 8))
            self.look(f"watch, {name}", "watch", "check:::error::pwned", env=env, human=False)
            self.look(f"log, {name}", "log", "-v", codes=(0, 2))
            self.p = before
        for command in (("run", "-j2"), ("watch",), ("wait", "--timeout", "1s"), ("plan", "show", "hostile"), ("nodes", "query"), ("log",)):
            data = on_terminal(self.ctx, (*self.p, *command), 4 * self.ctx.slow)
            self.t.count("outputs")
            problem = bad_text(data, True, OWN_TERMINAL)
            self.t.expect(not problem, "commands" if problem and "command" in problem else "raw", f"{command} on a terminal: {problem}")
            self.t.expect(len(data) > 0, "wrong", f"{command} on a terminal says nothing")


def xml_text(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def xml_quote(text):
    return '"' + xml_text(text).replace('"', "&quot;") + '"'


def on_terminal(ctx, args, seconds):
    """What the program writes to a terminal, until it ends or the time is over."""
    master, slave = pty.openpty()
    child = ctx.start(*args, stdin=slave, stdout=slave, stderr=slave, env=ctx.environment(TERM="xterm-256color"), start_new_session=True)
    os.close(slave)
    data, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            try:
                data += os.read(master, 65536)
            except OSError:
                break
        elif child.poll() is not None:
            break
    child.terminate()
    try:
        child.wait(15)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    os.close(master)
    end_of_text = data.rfind(b"\n") + 1  # a character may be cut
    return data[:end_of_text]


def run(ctx, t):
    t.zero("outputs", "raw", "commands", "untrue", "wrong")
    with ctx.directory() as directory:
        looker = Looker(ctx, t, directory)
        looker.fill()
        looker.documents()
        looker.graphs()
        looker.reports()
        looker.runs()
        t.expect(not (directory / "pwned").exists(), "commands", "a shell obeyed an id")


def control(ctx):
    """A program that prints data as it is, in each dialect, must be seen."""
    missed = [m for m in MESSAGES if re.search("pwned", m.replace("%0A", "")) and "%0A" not in m and "\u2028" not in m and not bad_text(m.encode())]
    missed += [i for i in IDS[:4] if not bad_text(i.encode()) or not bad_text(("x\n" + i).encode(), False)]
    missed += [o for o in (OWN_GITHUB, OWN_GITLAB, OWN_TERMINAL) if not bad_text(b"ok\n::stop-commands::pwned\n", True, o) or not bad_text(b"ok\x1b]0;x\x07", True, o)]
    with ctx.directory() as directory:
        (directory / "data").write_text("\x1b[2J\n##[error]x\n")
        tally = trust.Quiet("hostile_text")
        printer = Looker(ctx.with_program(trust.stand_in(directory, "printer", f"cat {directory / 'data'}")), tally, directory)
        printer.look("control", "nodes", "query")
    return not missed and tally.failures == 1
