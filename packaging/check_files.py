# SPDX-License-Identifier: Apache-2.0
"""Part of packaging/check: the YAML files below packaging, whose scripts are run as a CI system would, and the SBOM.

check_files.py SCRATCH [SHELLCHECK], with turboci in PATH; check_files.py --sbom FILE
"""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLAN = "checks: [{id: works, state: PLANNED}]\nstages: [{id: it, args: {command: 'true'}, assignments: [works]}]\n"
BAD_PLAN = "checks: [{id: works, optoins: {}}]\n"


def expect(condition, what):
    if not condition:
        sys.exit(f"package: {what}")


def check_sbom(path):
    document = json.loads(pathlib.Path(path).read_text())
    for field in ("spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo", "packages"):
        expect(document.get(field), f"the SBOM has no {field}")
    expect(document["spdxVersion"] == "SPDX-2.3" and document["dataLicense"] == "CC0-1.0", "the SBOM is not SPDX 2.3")
    created = document["creationInfo"]
    expect(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created["created"]), "the SBOM has no time")
    expect(created["creators"], "the SBOM has no creator")
    notice = (ROOT / "NOTICE").read_text()
    ids = {"SPDXRef-DOCUMENT"}
    for package in document["packages"]:
        for field in ("SPDXID", "name", "versionInfo", "downloadLocation", "licenseDeclared", "copyrightText"):
            expect(package.get(field), f"a package of the SBOM has no {field}: {package}")
        expect(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", package["SPDXID"]), f"{package['SPDXID']} is no SPDX id")
        expect(package["SPDXID"] not in ids, f"{package['SPDXID']} is there twice")
        ids.add(package["SPDXID"])
        expect(package["primaryPackagePurpose"] == "APPLICATION" or f" {package['name']} " in notice,
               f"NOTICE does not name {package['name']}")
    for relation in document["relationships"]:
        expect(relation["spdxElementId"] in ids and relation["relatedSpdxElement"] in ids,
               f"an end of a relationship is missing: {relation}")
    described = [r for r in document["relationships"] if r["relationshipType"] == "DESCRIBES"]
    expect(described, "the SBOM describes nothing")
    used = {r["relatedSpdxElement"] for r in document["relationships"]}
    expect(ids - used == {"SPDXRef-DOCUMENT"}, f"nothing is said of {ids - used}")


def run(script, folder, **variables):
    """A script as GitHub and GitLab run it: the first failure ends it."""
    return subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], cwd=folder, text=True, capture_output=True,
                          check=False, env={**os.environ, **variables})


def check_action(scratch, shellcheck):
    import yaml
    action = yaml.safe_load((ROOT / "packaging/github-action/action.yml").read_text())
    expect(action["runs"]["using"] == "composite" and "plan" in action["inputs"], "the action takes no plan")
    scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    for step in action["runs"]["steps"]:
        expect("run" not in step or (step["shell"] == "bash" and "${{" not in step["run"]),
               f"the step '{step['name']}' puts expressions into its script")
    for script in scripts if shellcheck else ():
        found = subprocess.run([shellcheck, "-s", "bash", "-"], input=script, text=True, capture_output=True,
                               check=False)
        expect(found.returncode == 0, found.stdout)
    output, summary = scratch / "output", scratch / "summary"
    given = {"PROGRAM": "turboci", "PLAN_FILES": "plan.yaml\n", "TURBOCI_STORE": str(scratch / "action.db"), "JOBS": "",
             "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
    made = run(scripts[0], scratch, **given)
    expect(made.returncode == 0, made.stderr)
    ran = run(scripts[1], scratch, **{**given, "TURBOCI_PLAN": output.read_text().strip().removeprefix("plan=")})
    expect(ran.returncode == 0, ran.stderr)
    expect("passed" in summary.read_text(), "the action wrote no summary")
    for report in ("turboci.html", "turboci.xml"):
        expect((scratch / report).stat().st_size > 0, f"the action wrote no {report}")
        (scratch / report).unlink()
    absent = run(scripts[0], scratch, **{**given, "PROGRAM": "no-such-program"})
    expect(absent.returncode == 1 and "::error::" in absent.stdout, "the action runs without turboci")


def check_gitlab(scratch):
    import yaml
    jobs = yaml.safe_load((ROOT / "packaging/gitlab-ci.yml").read_text())
    given = {"PLAN_FILE": "plan.yaml", "TURBOCI_STORE": str(scratch / "gitlab.db"), "CI_PIPELINE_ID": "7"}
    for name in ("turboci-validate", "turboci-run"):
        expect(jobs[name]["stage"] in jobs["stages"], f"the stage of {name} is not listed")
        ran = run("\n".join(jobs[name]["script"]), scratch, **given)
        expect(ran.returncode == 0, ran.stderr)
    artifacts = jobs["turboci-run"]["artifacts"]
    for report in [*artifacts["paths"], artifacts["reports"]["junit"]]:
        expect((scratch / report).stat().st_size > 0, f"{report} was not written")


def check_hooks(scratch):
    import yaml
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    entry = shlex.split(hook["entry"])
    expect(re.search(hook["files"], "ci/plan.yaml") and not re.search(hook["files"], "ci/airplane.yaml"),
           "the hook is for other files")
    for files, status in ((["plan.yaml", "plan.yaml"], 0), (["bad.yaml", "plan.yaml"], 1)):
        ran = subprocess.run([*entry, *files], cwd=scratch, capture_output=True, text=True, check=False)
        expect(ran.returncode == status, f"the hook ends with {ran.returncode} for {files}: {ran.stderr}")


def main():
    if sys.argv[1] == "--sbom":
        check_sbom(sys.argv[2])
        return
    scratch = pathlib.Path(sys.argv[1])
    (scratch / "plan.yaml").write_text(PLAN)
    (scratch / "bad.yaml").write_text(BAD_PLAN)
    check_action(scratch, sys.argv[2] if len(sys.argv) > 2 else "")
    check_gitlab(scratch)
    check_hooks(scratch)


main()
