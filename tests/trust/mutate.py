# SPDX-License-Identifier: Apache-2.0
"""Plan files that nobody should have written: a corpus by hand, and mutations of good files."""

VALID = (
    b"checks: [{id: a}, {id: b, dependencies: [a]}]\nstages: [{id: s, assignments: [b], args: {command: 'true'}}]\n",
    b'{"checks": [{"id": "a", "kind": "build", "options": {"n": [1, 2.5e3, null, true]}}], "stages": [{"id": "s", '
    b'"assignments": [{"target_check_id": "a", "goal_state": "FINAL"}], "retry": {"max_retries": 2, "backoff": "3s"}}]}\n',
    b"reason: nightly\nactor: bot\nchecks:\n  - &c\n    id: a\n    options: {<<: {x: 1}, y: \"q\\u00e9\"}\n  - {<<: *c, id: b}\n"
    b"---\nstages:\n  - id: s\n    args:\n      command: |\n        make\n        make check\n    timeout: 10m\n...\n",
    b"checks:\n  - {id: a}\n  - id: gate\n    state: PLANNED\n    dependencies: {at_least: 1, of: [a, {any: [{node: 'check:a', when: failure}]}]}\n",
)


def laughs(levels, width):
    lines = ["checks: [{id: a, options: {x: *l%d}}]" % levels]
    anchors = ["l0: &l0 [x]"] + ["l%d: &l%d [%s]" % (i, i, ", ".join(["*l%d" % (i - 1)] * width)) for i in range(1, levels + 1)]
    return ("\n".join(anchors + lines) + "\n").encode()


def corpus():
    """{what: bytes}. None of them is a plan file; the exceptions are in HARMLESS."""
    deep = 100_000
    nul = b"checks: [{id: \"a\0b\"}]\n"
    good = VALID[0]
    files = {
        "one comma": b",", "one bracket": b"[", "one brace": b"{", "one quote": b'"', "one apostrophe": b"'", "a tab": b"\t",
        "a question mark": b"?", "a colon": b":", "a dash": b"-", "a bar": b"|", "an ampersand": b"&", "an asterisk": b"*",
        "an exclamation mark": b"!", "a percent sign": b"%", "an at sign": b"@", "a backtick": b"`", "a word": b"hello\n",
        "a number": b"42\n", "a list": b"- a\n- b\n", "nothing but commas": b"{,,,,}", "trailing commas": b"[a,,b]",
        "a mis-indented line": b"checks:\n  - id: a\n    kind: build\n   state: PLANNED\n  - id: b\n",
        "a line indented less": b"checks:\n    - id: a\n  - id: b\n", "a tab as indentation": b"checks:\n\t- id: a\n",
        "an unterminated quote": b"checks: [{id: \"a}]\n", "an unterminated apostrophe": b"checks: [{id: 'a}]\nstages: []\n",
        "an unterminated list": b"checks: [{id: a}\n", "an unterminated map": b"checks: [{id: a\n",
        "a cyclic alias": b"&a [*a]\n", "a cyclic alias in a map": b"checks: &a [{id: x, options: {y: *a}}]\n",
        "a cyclic merge": b"checks: [&a {id: x, <<: *a}]\n", "an unknown alias": b"checks: [*nobody]\n",
        "x, x, x": b"{" + b"x," * 200_000 + b"x}", "x, x, x in a list": b"checks: [" + b"x," * 200_000 + b"x]",
        "many empty documents": b"---\n" * 200_000 + b"x: 1\n", "many open lists": b"[" * deep, "many open maps": b"{a: " * deep,
        "many dashes": b"- " * deep, "many question marks": b"? " * deep, "many exclamation marks": b"!" * deep,
        "deep JSON lists": b'{"checks": ' + b"[" * deep + b"]" * deep + b"}", "deep JSON maps": b'{"a":' * deep + b"1" + b"}" * deep,
        "deep block maps": b"".join(b" " * i + b"a:\n" for i in range(1000)), "depth in options": b"checks: [{id: a, options: " + b"{a: " * 90 + b"1" + b"}" * 92,
        "billion laughs": laughs(9, 9), "a wide laugh": laughs(2, 1000), "laughs in a map": laughs(20, 2),
        "many anchors": b"".join(b"k%d: &a%d x\n" % (i, i) for i in range(30_000)),
        "many tags": b"".join(b"%%TAG !e%d! tag:e,%d:\n" % (i, i) for i in range(30_000)) + b"---\nchecks: []\n",
        "the same tag often": b"%TAG ! tag:e:\n" * 30_000 + b"--- x\n", "a version": b"%YAML 9.9\n--- {}\n",
        "an unknown directive": b"%EVIL 1\n---\nchecks: [{id: 1a, state: x}]\n", "a long tag": b"checks: !" + b"x" * 500_000 + b" []\n",
        "an unknown tag": b"checks: !!python/object/apply:os.system ['true']\n", "a local tag": b"checks: [{id: !me a}]\n",
        "a binary": b"checks: [{id: !!binary AAAA}]\n", "a set": b"checks: !!set {a, b}\n", "a timestamp as id": b"checks: [{id: [2001-01-01]}]\n",
        "a long key": b"k" * 1_000_000 + b": 1\n", "a long key in quotes": b'"' + b"k" * 1_000_000 + b'": 1\n',
        "a long id": b"checks: [{id: " + b"x" * 257 + b"}]\n", "a complex key": b"? [a, b]\n: c\n", "a map as key": b"{{a: b}: c}\n",
        "a null key": b"? \n: x\n", "NUL": nul, "NUL at the end": good + b"\0", "NUL alone": b"\0", "many NULs": b"\0" * 5000,
        "NUL escaped": b'checks: [{id: "a\\0b"}]\n', "NUL in JSON": b'{"checks": [{"id": "a\\u0000b"}]}', "ESC escaped": b'checks: [{id: "a\\e[2J"}]\n',
        "UTF-16 without a mark": good.decode().encode("utf-16-le"), "UTF-16 with half a character": good.decode().encode("utf-16") + b"\x00",
        "UTF-16 with lone surrogates": "checks: [{id: x".encode("utf-16") + b"\x00\xd8" + "}]".encode("utf-16-le"),
        "UTF-32": good.decode().encode("utf-32"), "two marks": b"\xef\xbb\xbf\xef\xbb\xbf" + good, "a mark inside": b"checks: [{id: \xef\xbb\xbf}]\n",
        "half a mark": b"\xef\xbb" + good, "Latin-1": "checks: [{id: caf\u00e9}]\n".encode("latin-1"), "an overlong slash": b"checks: [{id: a\xc0\xafb}]\n",
        "a CESU surrogate": b"checks: [{id: a\xed\xa0\x80b}]\n", "beyond Unicode": b"checks: [{id: a\xf4\x90\x80\x80}]\n", "0xff": b"\xff\xfe\xfd",
        "a lone surrogate in JSON": b'{"checks": [{"id": "a\\ud800"}]}', "a surrogate the wrong way": b'{"checks": [{"id": "a\\udc00\\ud800"}]}',
        "a surrogate in YAML": b'checks: [{id: "a\\ud800"}]\n', "a huge escape": b'checks: [{id: "a\\UFFFFFFFF"}]\n',
        "a huge number": b"if_version: 1" + b"0" * 400 + b"\n", "a huge exponent": b'{"if_version": 1e400}', "minus one": b"if_version: -1\n",
        "a fraction": b"if_version: 1.5\n", "not a number": b"if_version: .nan\n", "a hexadecimal": b"if_version: 0xFFFFFFFFFFFFFFFFFF\n",
        "2^63": b"if_version: 9223372036854775808\n", "huge retries": b"stages: [{id: s, retry: {max_retries: 99999999999999999999}}]\n",
        "a huge duration": b"stages: [{id: s, timeout: 99999999999999999999h}]\n", "a negative duration": b"stages: [{id: s, timeout: -5s}]\n",
        "infinity in JSON": b'{"checks": [{"id": "a", "options": {"x": 1e999}}]}', "Infinity": b'{"checks": [{"id": "a", "options": {"x": Infinity}}]}',
        "many digits": b'{"checks": [{"id": "a", "options": {"x": 1' + b"0" * 300_000 + b"}}]}", "a leading zero": b'{"if_version": 01}',
        "a duplicate key": b"checks: []\nchecks: []\n", "a duplicate key in JSON": b'{"checks": [], "checks": []}',
        "a duplicate key deep down": b"checks: [{id: a, options: {x: {y: 1, y: 2}}}]\n", "a key twice by escape": b'{"checks": [], "\\u0063hecks": []}',
        "a duplicate id": b"checks: [{id: a}, {id: a}]\n", "the same id in two documents": b"checks: [{id: a}]\n---\nchecks: [{id: a}]\n",
        "an unknown key": b"chekcs: []\n", "an unknown key in a check": b"checks: [{id: a, dependecies: []}]\n", "no id": b"checks: [{kind: x}]\n",
        "a wrong type": b"checks: {id: a}\n", "a list as id": b"checks: [{id: [a]}]\n", "null as id": b"checks: [{id: }]\n", "an empty id": b"checks: [{id: ''}]\n",
        "a reserved id": b"checks: [{id: 'check:a'}]\n", "a blank before an id": b"checks: [{id: ' a'}]\n", "options that are a list": b"checks: [{id: a, options: [1]}]\n",
        "an unknown target": b"checks: [{id: a, dependencies: [nobody]}]\n", "a cycle": b"checks: [{id: a, dependencies: [b]}, {id: b, dependencies: [a]}]\n",
        "a dependency on itself": b"checks: [{id: a, dependencies: [a]}]\n", "an empty group": b"checks: [{id: a}, {id: b, dependencies: {any: []}}]\n",
        "a threshold too high": b"checks: [{id: a}, {id: b, dependencies: {at_least: 2, of: [a]}}]\n", "an unknown state": b"checks: [{id: a, state: DONE}]\n",
        "deep groups": b"checks: [{id: a}, {id: b, dependencies: " + b"{all: [" * 70 + b"a" + b"]}" * 70 + b"}]\n",
        "JSON and then more": b'{"checks": []} x', "two JSON values": b'{"checks": []}{"checks": []}', "a JSON comment": b'{"checks": [] // no\n}',
        "JSON with a trailing comma": b'{"checks": [],}', "JSON cut": b'{"checks": [{"id": "a"', "a control character in JSON": b'{"checks": [{"id": "a\x01"}]}',
        "a bad escape in JSON": b'{"checks": [{"id": "\\q"}]}', "a form feed": b"checks:\x0c []\n", "a bell": b"checks: [{id: a\x07}]\n", "DEL": b"checks: [{id: a\x7f}]\n",
        "C1": "checks: [{id: a\u009b}]\n".encode(), "a line of CRs": b"\r" * 10_000 + b"x", "many blanks": b" " * 1_000_000 + b"x\n",
        "many comments": b"#\n" * 300_000 + b"x\n", "a long comment": b"#" + b"x" * 2_000_000 + b"\nx\n", "a block scalar that never ends": b"checks: |\n" + b"  x\n" * 200_000,
        "indentation indicators": b"checks: |99\n x\n", "a folded flood": b"checks: >\n" + b" \n" * 200_000, "a merge of a scalar": b"checks: [{<<: 1, id: a}]\n",
        "a merge twice": b"checks: [{<<: {x: 1}, <<: {y: 1}, id: a}]\n", "an alias with an anchor": b"checks: [&a *a]\n", "two anchors": b"checks: &a &b []\n",
        "many errors": b"checks: [" + b"{idd: 1}," * 20_000 + b"]\n", "a flow in a quote": b"checks: \"[\\\n  {id: a}]\"\n", "documents without an end": b"--- --- ---\n",
    }
    return files


# Of the corpus, what may be taken: it is YAML, or right, whatever it looks like.
HARMLESS = {"Infinity", "a leading zero", "JSON with a trailing comma", "a mark inside", "many comments", "a version", "UTF-16 without a mark", "UTF-32", "two marks", "a duplicate id", "a threshold too high", "NUL at the end", "a long comment"}

TOKENS = [b",", b"[", b"]", b"{", b"}", b"'", b'"', b":", b": ", b"- ", b"\n", b"\r", b"\t", b"#", b"&a ", b"*a", b"<<: ", b"!", b"!!str ", b"|", b">", b"%",
          b"---\n", b"...\n", b"\\", b"\0", b"\x1b", b"\x7f", b"\xc2\x85", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\xff", b"\xed\xa0\x80", b"?", b"@", b"`", b"~", b"null",
          b"0x", b"1e999", b"99999999999999999999", b"-1", b".inf", b"  ", b"id: ", b"checks:", b'"id":', b"PLANNED", b"\\ud800", b"\\u0000", b"/*"]


def mutation(rng, seeds):
    """A seed with one to five changes."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(9)
        if kind == 0:
            data[at:at] = rng.choice(TOKENS)
        elif kind == 1:
            del data[at:at + rng.choice((1, 1, 2, 5, 20))]
        elif kind == 2:
            data[at:at + 1] = rng.choice(TOKENS)
        elif kind == 3 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 4:  # a piece of another file
            other = rng.choice(seeds)
            begin = rng.randrange(len(other))
            data[at:at] = other[begin:begin + rng.randrange(1, 200)]
        elif kind == 5:  # a line indented differently, doubled or lost
            lines = bytes(data).split(b"\n")
            i = rng.randrange(len(lines))
            lines[i:i + 1] = rng.choice(([b" " + lines[i]], [lines[i][1:]], [lines[i], lines[i]], [], [b"\t" + lines[i]]))
            data = bytearray(b"\n".join(lines))
        elif kind == 6:  # a token often
            data[at:at] = rng.choice(TOKENS) * rng.choice((10, 100, 5000))
        elif kind == 7:
            del data[at:]
        else:  # a word in another place
            words = bytes(data).split(b" ")
            i, j = rng.randrange(len(words)), rng.randrange(len(words))
            words[i], words[j] = words[j], words[i]
            data = bytearray(b" ".join(words))
        if not data:
            data = bytearray(b" ")
    whole = bytes(data)
    if rng.random() < 0.03:
        whole = rng.choice((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xef\xbb", b"\0")) + whole
    if rng.random() < 0.02:
        whole = whole.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-16-be", "utf-32")))
    return whole
