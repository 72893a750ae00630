# SPDX-License-Identifier: Apache-2.0
"""Plans and the same work for other programs, made by rule: the same size gives the same bytes everywhere."""

import json
import pathlib

EDGES = 3
ROOTS = 4
FINISHED_ROUNDS = 200  # ready stages that a plan has for measures that finish one


def targets(i):
    """The nodes that node i depends on: three different ones, anywhere before it."""
    if i < ROOTS:
        return []
    found = []
    seed = (i * 2654435761 + 12345) & 0xFFFFFFFF
    while len(found) < EDGES:
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        j = (seed >> 8) % i
        if j not in found:
            found.append(j)
    return found


def edge_count(n):
    return EDGES * max(0, n - ROOTS)


def node_id(i):
    return f"{'build' if i % 2 else 'check'}-{i:07d}"


def is_stage(i):
    return i % 2 == 1


def _refs(i):
    return '", "'.join(node_id(j) for j in targets(i))


def _json_node(i):
    deps = f', "dependencies": ["{_refs(i)}"]' if i >= ROOTS else ""
    if is_stage(i):
        return (f'{{"id": "{node_id(i)}", "args": {{"command": ["make", "-C", "pkg/{i}", "all"],'
                f' "env": {{"MODE": "release"}}}}, "retry": {{"max_retries": 1}}{deps}}}')
    return (f'{{"id": "{node_id(i)}", "kind": "build", "state": "PLANNED",'
            f' "options": {{"target": "//pkg/{i}", "arch": "arm64"}}{deps}}}')


def write_json(path, n):
    with open(path, "w", encoding="ascii") as out:
        for opening, first in (('{"checks": [\n', 0), ('],\n"stages": [\n', 1)):
            out.write(opening + ",\n".join(_json_node(i) for i in range(first, n, 2)))
        out.write("]}\n")


def _yaml_node(i):
    deps = f"  dependencies: [{', '.join(node_id(j) for j in targets(i))}]\n" if i >= ROOTS else ""
    if is_stage(i):
        return (f"- id: {node_id(i)}\n  args:\n    command: [make, -C, pkg/{i}, all]\n"
                f"    env: {{MODE: release}}\n  retry: {{max_retries: 1}}\n{deps}")
    return (f"- id: {node_id(i)}\n  kind: build\n  state: PLANNED\n"
            f"  options: {{target: //pkg/{i}, arch: arm64}}\n{deps}")


def write_yaml(path, n):
    with open(path, "w", encoding="ascii") as out:
        for key, first in (("checks", 0), ("stages", 1)):
            out.write(f"{key}:\n")
            out.writelines(_yaml_node(i) for i in range(first, n, 2))


SQL_TABLES = """CREATE TABLE node(key INTEGER PRIMARY KEY, id TEXT NOT NULL, state INTEGER NOT NULL);
CREATE TABLE edge(owner INTEGER, position INTEGER, target INTEGER, PRIMARY KEY(owner, position)) WITHOUT ROWID;
"""
SQL_INDEXES = """CREATE UNIQUE INDEX node_by_id ON node(id);
CREATE INDEX edge_by_target ON edge(target, owner);
"""
SQL_DURABLE = "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL;"


def write_sql(path, n):
    """The nodes and edges alone, in the fewest columns, as a script for the sqlite3 shell."""
    with open(path, "w", encoding="ascii") as out:
        out.write(SQL_DURABLE + "\nBEGIN;\n" + SQL_TABLES)
        for i in range(n):
            out.write(f"INSERT INTO node VALUES({i + 1},'{node_id(i)}',20);\n")
            out.writelines(f"INSERT INTO edge VALUES({i + 1},{p},{j + 1});\n" for p, j in enumerate(targets(i)))
        out.write(SQL_INDEXES + "COMMIT;\n")


def write_ninja_graph(path, n):
    with open(path, "w", encoding="ascii") as out:
        out.write("rule make\n  command = make -C $pkg all\n")
        for i in range(n):
            out.write(f"build {node_id(i)}: make {' '.join(node_id(j) for j in targets(i))}\n  pkg = pkg/{i}\n")


def write_ready(path, n):
    """Stages that are ready at once, each with three that wait for it and for others of a plan of n nodes."""
    with open(path, "w", encoding="ascii") as out:
        out.write("stages:\n")
        for k in range(FINISHED_ROUNDS):
            out.write(f"- {{id: ready-{k}, args: {{command: 'true'}}}}\n")
            for d in range(3):
                other = node_id((k * 7919 + d * 104729) % n)
                out.write(f"- {{id: after-{k}-{d}, args: {{command: 'true'}}, dependencies: [ready-{k}, {other}]}}\n")


def write_small(directory, count, n):
    """Files of one node each: alone-K.json without dependencies, tied-K.json with three."""
    for k in range(count):
        with open(f"{directory}/alone-{k}.json", "w", encoding="ascii") as out:
            out.write(f'{{"stages": [{{"id": "alone-{k}", "args": {{"command": "true"}}}}]}}\n')
        deps = '", "'.join(node_id((k * 7919 + d * 104729 + 1) % n) for d in range(EDGES))
        with open(f"{directory}/tied-{k}.json", "w", encoding="ascii") as out:
            out.write(f'{{"stages": [{{"id": "tied-{k}", "args": {{"command": "true"}},'
                      f' "dependencies": ["{deps}"]}}]}}\n')


def write_deep_chain(path, n):
    """Checks, each waiting for the one before; the first one's failure skips all others."""
    with open(path, "w", encoding="ascii") as out:
        out.write("checks:\n- {id: c0, state: PLANNED}\n")
        out.writelines(f"- {{id: c{i}, state: PLANNED, dependencies: [c{i - 1}]}}\n" for i in range(1, n))


def write_stage_chain(path, n):
    with open(path, "w", encoding="ascii") as out:
        out.write("stages:\n- {id: s0, args: {command: 'true'}}\n")
        out.writelines(f"- {{id: s{i}, args: {{command: 'true'}}, dependencies: [s{i - 1}]}}\n" for i in range(1, n))


def shape(kind, n):
    """n steps with what each waits for: a chain, a fan (one, then n - 2, then one), or a join of n - 1."""
    if kind == "chain":
        return [[i - 1] if i else [] for i in range(n)]
    if kind == "fan":
        return [[]] + [[0] for _ in range(n - 2)] + [list(range(1, n - 1))]
    return [[] for _ in range(n - 1)] + [list(range(n - 1))]


def write_steps(directory, kind, n):
    """The same steps, each running `true`, for turboci and its peers; those of npm have directories of their own."""
    steps = shape(kind, n)
    with open(f"{directory}/plan.yaml", "w", encoding="ascii") as out:
        out.write("stages:\n")
        for i, deps in enumerate(steps):
            names = ", ".join(f"s{j}" for j in deps)
            out.write(f"- {{id: s{i}, args: {{command: 'true'}}, dependencies: [{names}]}}\n" if deps else
                      f"- {{id: s{i}, args: {{command: 'true'}}}}\n")
    with open(f"{directory}/build.ninja", "w", encoding="ascii") as out:
        out.write("rule step\n  command = true\n")
        out.writelines(f"build s{i}: step {' '.join(f's{j}' for j in deps)}\n" for i, deps in enumerate(steps))
    with open(f"{directory}/Makefile", "w", encoding="ascii") as out:
        out.write(f"all: s{n - 1}\n.PHONY: all {' '.join(f's{i}' for i in range(n))}\n")
        # Through the shell, as ninja and turboci do it.
        out.writelines(f"s{i}: {' '.join(f's{j}' for j in deps)}\n\t@true;\n" for i, deps in enumerate(steps))
    with open(f"{directory}/dodo.py", "w", encoding="ascii") as out:
        out.write(f"STEPS = {steps!r}\n\n\ndef task_s():\n    for i, deps in enumerate(STEPS):\n"
                  "        yield {'name': str(i), 'actions': ['true'], 'task_dep': [f's:{j}' for j in deps]}\n")
    with open(f"{directory}/Snakefile", "w", encoding="ascii") as out:
        out.write(f"rule all:\n    input: 'out/s{n - 1}'\n")
        for i, deps in enumerate(steps):
            inputs = f"    input: {', '.join(repr(f'out/s{j}') for j in deps)}\n" if deps else ""
            out.write(f"rule s{i}:\n{inputs}    output: touch('out/s{i}')\n    shell: 'true'\n")
    _write_packages(directory, steps)


def _write_packages(directory, steps):
    """A package whose scripts are the steps, for wireit, turbo and nx, with nothing cached."""
    def needs(deps):
        return [f"s{j}" for j in deps]
    package = {"name": "steps", "version": "1.0.0", "private": True}
    scripts = {f"s{i}": {"command": "true", "dependencies": needs(deps)} for i, deps in enumerate(steps)}
    targets = {f"s{i}": {"command": "true", "dependsOn": needs(deps), "cache": False} for i, deps in enumerate(steps)}
    tasks = {f"s{i}": {"dependsOn": needs(deps), "cache": False} for i, deps in enumerate(steps)}
    files = {
        "wireit/package.json": {**package, "scripts": dict.fromkeys(scripts, "wireit"), "wireit": scripts},
        "turbo/package.json": {**package, "scripts": dict.fromkeys(tasks, "true"), "packageManager": "npm@11.0.0"},
        "turbo/package-lock.json": {"name": "steps", "version": "1.0.0", "lockfileVersion": 3,
                                    "packages": {"": {"name": "steps", "version": "1.0.0"}}},
        "turbo/turbo.json": {"tasks": tasks},
        "nx/package.json": {**package, "nx": {"targets": targets}},
        "nx/nx.json": {},
    }
    for name, content in files.items():
        path = pathlib.Path(directory, name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content), encoding="ascii")
