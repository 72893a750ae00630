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
GLOBALS = flags_in(section(OVERALL, "Global options"))
COMMANDS = re.findall(r"^  ([a-z]+(?: [a-z]+)?)(?=  |$)", section(OVERALL, "Commands"), re.M)
FLAGS = {name: flags_in(section(said(TURBOCI, *name.split(), "--help"), "Arguments and options")) for name in COMMANDS}


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

    def test_every_page_that_is_referred_to_exists(self):
        for page in MAN_DIR.glob("turboci*.[15]"):
            for name, number in re.findall(r"^\.Xr (turboci\S*) (\d)", page.read_text(), re.M):
                self.assertTrue((MAN_DIR / f"{name}.{number}").exists(), f"{page.name} refers to {name}({number})")

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_the_manual_pages_are_clean(self):
        pages = sorted(str(p) for p in MAN_DIR.glob("turboci*.[15]"))
        self.assertEqual(len(pages), len({name.split()[0] for name in COMMANDS}) + 2)
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
        subprocess.run([TURBOCI, "plan", "create", "nightly", "-f", "-"], env=cls.env, check=True, text=True,
                       input="checks: [{id: built}, {id: two words}]\nstages: [{id: build}]\n",
                       stdout=subprocess.DEVNULL)

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
        out = said("bash", "--norc", "-c", script, input="".join(line + "\n" for line in lines), env=self.env)
        return [set(filter(None, line.split("\x1f"))) for line in out.splitlines()]

    def fish(self, *lines):
        script = f"source {ROOT}/completions/turboci.fish\nwhile read -l line\n  complete -C $line\n  echo --END--\nend\n"
        out = said("fish", "--no-config", "-c", script, input="".join(line + "\n" for line in lines), env=self.env)
        return [{word.split("\t")[0] for word in part.splitlines()} for part in out.split("--END--\n")[:-1]]

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
        words = re.compile(r"\{(-\w),(--[\w-]+)\}|'\*?(--?[A-Za-z][\w-]*)")

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
