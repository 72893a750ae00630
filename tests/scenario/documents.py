#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual pages and the completions name the flags that --help names: each of them, and no other.

$TURBOCI is the program, $MAN_DIR where the rendered manual pages are.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TURBOCI = os.path.realpath(os.environ["TURBOCI"])
MAN_DIR = pathlib.Path(os.environ["MAN_DIR"])
FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")


def said(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def section(text, title):
    """The indented lines below a title line."""
    match = re.search(rf"^{re.escape(title)}[^\n]*:\n((?:  [^\n]*\n)+)", text, re.M)
    return match[1] if match else ""


def flags_in(lines):
    """The flags that a section of a help text declares."""
    found = set()
    for left in re.findall(r"^  (-\S.*?)(?:  |$)", lines, re.M):
        found |= set(FLAG.findall(re.sub(r"=?\[?=?[A-Z][A-Z=|]*\]?", "", left)))
    return found


OVERALL = said(TURBOCI, "--help")
def valued_in(lines):
    """The flags among them that take a value as the next word."""
    found = set()
    for flag, more in re.findall(r"^  ((?:-\w, )?--[\w-]+) [A-Z]()", lines, re.M):
        found |= set(FLAG.findall(flag))
    return found


GLOBALS = flags_in(section(OVERALL, "Global options"))
COMMANDS = re.findall(r"^  ([a-z]+(?: [a-z]+)?)(?=  |$)", section(OVERALL, "Commands"), re.M)
VALUED = {name: valued_in(section(said(TURBOCI, *name.split(), "--help"), "Arguments and options")) for name in COMMANDS}
GLOBALLY_VALUED = valued_in(section(OVERALL, "Global options"))
FLAGS = {name: flags_in(section(said(TURBOCI, *name.split(), "--help"), "Arguments and options")) for name in COMMANDS}


# Of the flags that select nodes.
FILTERS = {
    "--type": {"check", "stage"}, "--kind": {"source", "build", "test", "analysis", "kickoff"},
    "--state": {"PLANNING", "PLANNED", "WAITING", "ATTEMPTING", "AWAITING_GROUP", "FINAL"},
    "--outcome": {"passed", "failed", "skipped", "cancelled"}, "--waiting-for": {"person"},
}
# What the values of flags can be, for each command that takes the flag ("": any).
CHOICES = {
    "": {"--plan": {"nightly", "nightly-2"}, "-p": {"nightly", "nightly-2"}, "--output": {"table", "json", "jsonl", "yaml", "name"},
         "-o": {"table", "json", "jsonl", "yaml", "name"}, "--color": {"auto", "always", "never"},
         "--lock-timeout": {"30s", "10m", "2h"}},
    "plan show": {"--format": {"table", "markdown", "junit", "html", "trace"}},
    "nodes query": {**FILTERS, "--edges": {"all", "satisfied"}},
    "gate": FILTERS,
    "plan prune": {"--older-than": {"24h", "168h"}},
    "graph show": {"--format": {"dot", "mermaid", "json", "tree"}, "--collapse": {"kind"}, "--rankdir": {"LR", "TB"},
                   "--edges": {"all", "satisfied"}},
    "attempt claim": {"--wait": {"30s", "10m", "2h"}},
    "plan tick": {"--lost-after": {"30s", "10m", "2h"}},
    "run": {"--timeout": {"30s", "10m", "2h"}, "--cleanup-timeout": {"30s", "10m", "2h"}, "--on-interrupt": {"leave", "cancel"},
            "--report": {"markdown=", "markdown=auto", "junit=", "html=", "trace="}, "--lost-after": {"30s", "10m", "2h"}},
    "attempt exec": {"--lost-after": {"30s", "10m", "2h"}},
    "worker": {"--lost-after": {"30s", "10m", "2h"}},
    "wait": {"--timeout": {"30s", "10m", "2h"}},
}
# Their values are files.
OF_FILES = {"--store", "-s", "--file", "-f", "--junit"}

# Loads the completion into a shell on a terminal, has each line of standard input completed there, and prints what
# the completion offers for it: one a line, then --END--.
ZSH_DRIVER = r"""
zmodload zsh/zpty
zmodload zsh/zselect
export ANSWERS=$HOME/answers
answers=$ANSWERS
cat >$HOME/setup.zsh <<'SETUP'
PS1=; unset zle_bracketed_paste; autoload -Uz compinit; fpath=($COMPLETIONS $fpath); compinit -u -D
compadd() {
  local -a offered
  # Calls that only ask what would match offer nothing yet.
  if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
    builtin compadd -O offered "$@"
    (( $#offered )) && print -rl -- $offered >>$ANSWERS
  fi
  builtin compadd "$@"
}
offer() { _main_complete; compstate[insert]=; compstate[list]=; print -r -- --END-- >>$ANSWERS }
zle -C offer complete-word offer
bindkey '^I' offer
print -r -- --END-- >>$ANSWERS
SETUP
: >$answers
zpty shell zsh -f -i
await() {
  local tries
  for ((tries = 0; tries < 6000; tries++)); do
    zpty -r -t shell screen
    (( $(grep -c -e '^--END--$' $answers) >= $1 )) && return
    zselect -t 1
  done
  print -u2 "zsh did not answer: $screen"
  exit 1
}
zpty -w shell "source $HOME/setup.zsh"
await 1
ends=1
while IFS= read -r line; do
  zpty -w -n shell $'\x15'"$line"$'\t'
  await $((++ends))
done
zpty -d shell
tail -n +2 $answers
"""


class Documents(unittest.TestCase):
    maxDiff = None

    def test_the_help_was_understood(self):
        self.assertIn("--store", GLOBALS)
        self.assertIn("nodes query", COMMANDS)
        self.assertLessEqual({"--type", "--deps", "--match"}, FLAGS["nodes query"])

    def test_every_manual_page_documents_the_flags_of_its_commands_and_no_others(self):
        for noun in sorted({name.split()[0] for name in COMMANDS}):
            with self.subTest(noun):
                page = (MAN_DIR / f"turboci-{noun}.1").read_text()
                documented = set()
                for items in re.findall(r"^\.It (Fl .*)$", page, re.M):
                    for item in re.split(r" , ", items):
                        words = item.replace("Ns", "").replace("Op", "").split()
                        documented.add("-" + (words[1] if words[0] == "Fl" else words[0]))
                wanted = set().union(*(FLAGS[name] for name in COMMANDS if name.split()[0] == noun))
                self.assertEqual(documented, wanted)

    def test_every_manual_page_shows_each_of_its_commands(self):
        for name in COMMANDS:
            with self.subTest(name):
                page = (MAN_DIR / f"turboci-{name.split()[0]}.1").read_text()
                self.assertIn(f".Nm turboci {name}\n", page)

    def test_the_main_page_documents_the_global_flags_and_links_to_all_pages(self):
        page = (MAN_DIR / "turboci.1").read_text()
        options = page[page.index(".Sh OPTIONS"):page.index(".Sh OUTPUT FORMATS")]
        documented = set()
        for items in re.findall(r"^\.It Fl (.*)$", options, re.M):
            documented |= {"-" + re.sub(r"^Fl ", "", item).split()[0] for item in items.split(" , ")}
        self.assertEqual(documented, GLOBALS | {"--version"})
        for noun in {name.split()[0] for name in COMMANDS}:
            self.assertIn(f".It Xr turboci-{noun} 1", page)

    @unittest.skipUnless((MAN_DIR / "turbocid.8").exists(), "built without gRPC")
    def test_the_page_of_the_server_documents_its_options_and_no_others(self):
        page = (MAN_DIR / "turbocid.8").read_text()
        options = page[page.index(".Sh OPTIONS"):page.index(".Ss Listening")]
        documented = {"-" + flag for items in re.findall(r"^\.It Fl (.*)$", options, re.M)
                      for flag in re.findall(r"(?:^|Fl )([\w-]+)", items)}
        told = said(pathlib.Path(TURBOCI).with_name("turbocid"), "--help")
        self.assertEqual(documented, flags_in(told) | {"-h", "--help"})

    def test_every_page_that_is_referred_to_exists(self):
        for page in MAN_DIR.glob("turboci*.[158]"):
            for name, number in re.findall(r"^\.Xr (turboci\S*) (\d)", page.read_text(), re.M):
                there = (MAN_DIR / f"{name}.{number}").exists() or name == "turbocid"  # not in builds without gRPC
                self.assertTrue(there, f"{page.name} refers to {name}({number})")

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_the_manual_pages_are_clean(self):
        pages = sorted(str(p) for p in MAN_DIR.glob("turboci*.[158]"))
        server = (MAN_DIR / "turbocid.8").exists()
        self.assertEqual(len(pages), len({name.split()[0] for name in COMMANDS}) + 2 + server)
        ran = subprocess.run(["mandoc", "-Tlint", "-W", "warning", *pages], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        self.assertEqual((ran.returncode, ran.stdout), (0, ""))


class Completions(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="turboci-")
        cls.addClassCleanup(cls.directory.cleanup)
        cls.env = {k: v for k, v in os.environ.items() if not k.startswith("TURBOCI")}
        cls.env.update(TURBOCI_STORE=os.path.join(cls.directory.name, "s.db"), HOME=cls.directory.name,
                       PATH=os.path.dirname(TURBOCI) + ":" + os.environ["PATH"], LC_ALL="C.UTF-8")
        cls.create("nightly", "checks: [{id: built}, {id: two words}]\nstages: [{id: build}]\n")
        cls.work = os.path.join(cls.directory.name, "work")
        os.mkdir(cls.work)
        pathlib.Path(cls.work, "a-file.yaml").write_text("")

    @classmethod
    def create(cls, plan, text):
        subprocess.run([TURBOCI, "plan", "create", plan, "-f", "-"], env=cls.env, check=True, text=True, input=text,
                       stdout=subprocess.DEVNULL)

    def every_value(self, complete, has_equals=True):
        """Every flag with a value of every command is completed with its values, and with nothing else."""
        self.create("nightly-2", "checks: [{id: other}]\n")
        self.addCleanup(subprocess.run, [TURBOCI, "plan", "delete", "nightly-2"], env=self.env, stdout=subprocess.DEVNULL)
        cases = {}
        for name in COMMANDS:
            choices = {**CHOICES[""], **CHOICES.get(name, {})}
            for flag in sorted(VALUED[name] | GLOBALLY_VALUED):
                wanted = {"a-file.yaml"} if flag in OF_FILES else choices.get(flag, set())
                cases[f"turboci {name} {flag} "] = wanted
                if has_equals and flag.startswith("--"):
                    cases[f"turboci {name} {flag}="] = wanted
        for flag in sorted(GLOBALLY_VALUED - {"-s", "--store"}):
            cases[f"turboci {flag} "] = CHOICES[""][flag]
        for beginning in ("turboci -p ni", "turboci --plan ni", "turboci nodes query --plan ni"):
            cases[beginning] = {"nightly", "nightly-2"}
        for line, found in zip(cases, complete(*cases)):
            with self.subTest(line):
                self.assertEqual({re.sub(r"^--?[\w-]+=", "", word) for word in found}, cases[line])

    def bash(self, *lines):
        """What completes each line, as a list of sets."""
        script = (f"source {ROOT}/completions/turboci.bash\n"
                  "COMP_WORDBREAKS=$' \\t\\n\"\\'><=;|&(:'\n"
                  "while IFS= read -r line; do\n"
                  "  COMP_WORDS=(); rest=$line\n"
                  "  while [[ $rest =~ ^\\ *([:=]+|[^\\ :=]+)(.*)$ ]]; do\n"
                  "    COMP_WORDS+=(\"${BASH_REMATCH[1]}\"); rest=${BASH_REMATCH[2]}\n"
                  "  done\n"
                  "  [[ $line == *' ' || $line == *= ]] && COMP_WORDS+=('')\n"
                  "  COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE=$line; COMP_POINT=${#line}\n"
                  "  _turboci\n"
                  "  (IFS=$'\\x1f'; printf '%s\\n' \"${COMPREPLY[*]}\")\n"
                  "done\n")
        out = said("bash", "--norc", "-c", script, input="".join(line + "\n" for line in lines), env=self.env, cwd=self.work)
        return [set(filter(None, line.split("\x1f"))) for line in out.splitlines()]

    def fish(self, *lines):
        script = f"source {ROOT}/completions/turboci.fish\nwhile read -l line\n  complete -C $line\n  echo --END--\nend\n"
        out = said("fish", "--no-config", "-c", script, input="".join(line + "\n" for line in lines), env=self.env, cwd=self.work)
        return [{word.split("\t")[0] for word in part.splitlines()} for part in out.split("--END--\n")[:-1]]

    def zsh(self, *lines):
        env = {**self.env, "COMPLETIONS": str(ROOT / "completions"), "HOME": tempfile.mkdtemp(dir=self.directory.name)}
        out = said("zsh", "-f", "-c", ZSH_DRIVER, input="".join(line + "\n" for line in lines), env=env, cwd=self.work)
        return [set(part.splitlines()) for part in out.split("--END--\n")[:-1]]

    def test_bash_completes_the_flags_of_every_command_and_no_others(self):
        for name, found in zip(COMMANDS, self.bash(*(f"turboci {name} -" for name in COMMANDS))):
            with self.subTest(name):
                self.assertEqual(found, FLAGS[name] | GLOBALS)

    def test_bash_completes_commands_plans_and_nodes(self):
        nouns = {name.split()[0] for name in COMMANDS} | {"help"}
        verbs = {name.split()[1] for name in COMMANDS if name.startswith("nodes ")}
        cases = {
            "turboci ": nouns,
            "turboci nodes ": verbs,
            "turboci -p nightly no": {"nodes"},
            "turboci plan show ": {"nightly"},
            "turboci --plan ": {"nightly"},
            "turboci --plan=n": {"nightly"},
            "turboci nodes explain check:b": {"built"},
            "turboci -o json wait stage:": {"build"},
            "turboci attempt claim ": {"build"},
            "turboci gate t": {"two\\ words"},
            "turboci nodes query --type ": {"check", "stage"},
            "turboci nodes query --outcome=pa": {"passed"},
        }
        for line, found in zip(cases, self.bash(*cases)):
            with self.subTest(line):
                self.assertEqual(found, cases[line])

    def test_bash_completes_the_value_of_every_flag(self):
        self.every_value(self.bash)

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish_completes_the_value_of_every_flag(self):
        self.every_value(self.fish)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_completes_the_value_of_every_flag(self):
        self.every_value(self.zsh)

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish_completes_the_flags_of_every_command_and_no_others(self):
        lines = [f"turboci {name} {dash}" for name in COMMANDS for dash in ("-", "--")]
        found = self.fish(*lines)
        for i, name in enumerate(COMMANDS):
            with self.subTest(name):
                both = {re.sub(r"=$", "", word) for word in found[2 * i] | found[2 * i + 1]}
                self.assertEqual({w for w in both if w.startswith("-")}, FLAGS[name] | GLOBALS)

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish_completes_commands_plans_and_nodes(self):
        nouns = {name.split()[0] for name in COMMANDS} | {"help"}
        cases = {"turboci ": nouns, "turboci plan show ": {"nightly"}, "turboci nodes explain check:b": {"check:built"},
                 "turboci -p nightly attempt claim ": {"build"}}
        for line, found in zip(cases, self.fish(*cases)):
            with self.subTest(line):
                self.assertEqual(found, cases[line])

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_names_the_flags_of_every_command_and_no_others(self):
        path = ROOT / "completions" / "_turboci"
        subprocess.run(["zsh", "-n", path], check=True)
        text = path.read_text()
        words = re.compile(r"\{(-\w)\+?,(--[\w-]+)=?\}|'\*?(--?[A-Za-z][\w-]*)")

        def flags(piece):
            found = {w for match in words.findall(piece) for w in match if w}
            for name, body in lists.items():
                if re.search(rf"\${name}\b", piece):
                    found |= flags(body)
            return found

        lists = dict(re.findall(r"local -a (\w+)=\(\n(.*?)^  \)$", text, re.M | re.S))
        branches = dict(re.findall(r"^    '?([a-z]+(?: [a-z]+)?)'?\)(.*?);;$", text, re.M | re.S))
        for name in COMMANDS:
            with self.subTest(name):
                self.assertIn(name, branches)
                self.assertEqual(flags(branches[name]), FLAGS[name] | GLOBALS)


if __name__ == "__main__":
    unittest.main()
