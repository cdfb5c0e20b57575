"""template.yaml, expanded as AWS expands it: linted, and asked for what a platform team asks for."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from .aws import SAM, TOOLS, expand, findings, run_tool
from .support import BakedProject, bake

pytestmark = pytest.mark.aws

DAYS_14 = 14 * 24 * 60 * 60


@pytest.fixture(scope="module", params=["none", "iam", "jwt"])
def serverless(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> BakedProject:
    """A service on DynamoDB, for each way to let callers in."""
    return bake(tmp_path_factory.mktemp(request.param), auth=request.param)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """A service with the defaults."""
    return bake(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def in_a_vpc(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """A service on Postgres."""
    return bake(
        tmp_path_factory.mktemp("postgres"), store="postgres", platform="lambda", auth="jwt"
    )


class Expanded:
    """The resources of an expanded template, by type."""

    def __init__(self, folder: Path) -> None:
        self.template = expand(folder)
        self.resources: dict[str, Any] = self.template["Resources"]

    def of(self, kind: str) -> dict[str, Any]:
        return {
            name: each["Properties"]
            for name, each in self.resources.items()
            if each["Type"] == f"AWS::{kind}"
        }

    def one(self, kind: str) -> dict[str, Any]:
        (found,) = self.of(kind).values()
        properties: dict[str, Any] = found
        return properties


@pytest.fixture(scope="module")
def expanded(serverless: BakedProject) -> Expanded:
    return Expanded(serverless.path)


def test_sam_finds_it_valid(serverless: BakedProject) -> None:
    said = run_tool(SAM, "validate", "--lint", folder=serverless.path)
    assert "is a valid SAM Template" in said.stdout, said.stdout


def test_the_linters_have_nothing_against_it(serverless: BakedProject) -> None:
    expand(serverless.path)
    assert findings(serverless.path) == []


def test_the_linters_have_nothing_against_it_on_postgres(in_a_vpc: BakedProject) -> None:
    said = run_tool(SAM, "validate", "--lint", folder=in_a_vpc.path)
    assert "is a valid SAM Template" in said.stdout, said.stdout
    expand(in_a_vpc.path)
    assert findings(in_a_vpc.path) == []


def test_the_table_alone_is_the_same_and_the_linter_has_nothing_against_it(
    serverless: BakedProject, tmp_path: Path
) -> None:
    project = bake(tmp_path, platform="server")
    linted = run_tool(
        *(TOOLS / "sam/bin/cfn-lint", "deploy/table.yaml", "--regions", "eu-central-1"),
        folder=project.path,
    )
    assert linted.stdout == ""
    alone = (project.path / "deploy/table.yaml").read_text()
    whole = (serverless.path / "template.yaml").read_text()
    for resource in ("Table", "Files", "Operators"):
        (described,) = re.findall(rf"^  {resource}:\n(?:    .*\n)+", alone, re.MULTILINE)
        assert described in whole


DEFECTS = [
    ("Runtime: python3.12", "Runtime: python3.7", "python3.7"),
    ("    Tracing: Active\n", "", "WS1000"),
    ("PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false", "CKV_AWS_28"),
    ("BlockPublicAcls: true", "BlockPublicAcls: false", "CKV_AWS_53"),
    ("RestrictPublicBuckets: true", "RestrictPublicBuckets: false", "CKV_AWS_56"),
    ("Status: Enabled\n      LifecycleC", "Status: Suspended\n      LifecycleC", "CKV_AWS_21"),
    ("RetentionInDays: !Ref LogRetentionDays", "RetentionInDays: 31", "E3030"),
    ("- dynamodb:ConditionCheckItem", "- dynamodb:ConditionCheckItems", "W3037"),
    ("Resource: !GetAtt Table.Arn", "Resource: '*'", "CKV_AWS_111"),
    ("KeyType: RANGE", "KeyType: ORDER", "E3012"),
    ("Statistic: Sum", "Statistic: Summe", "E3030"),
    ("maxReceiveCount: 5", "maxReceiveCount: five", "E3012"),
]


@pytest.mark.parametrize(("text", "defect", "finding"), DEFECTS)
def test_a_defect_that_is_planted_is_found(
    plain: BakedProject, tmp_path: Path, text: str, defect: str, finding: str
) -> None:
    for name in ("template.yaml", ".checkov.yaml", ".cfnlintrc.yaml"):
        shutil.copy(plain.path / name, tmp_path)
    template = tmp_path / "template.yaml"
    assert text in template.read_text()
    template.write_text(template.read_text().replace(text, defect))
    expand(tmp_path)
    assert finding in " ".join(findings(tmp_path))


def test_every_function_is_what_it_should_be(expanded: Expanded) -> None:
    functions = expanded.of("Lambda::Function")
    assert set(functions) == {"ApiFunction", "StreamFunction", "WorkerFunction", "QueueFunction"}
    for function in functions.values():
        assert function["Architectures"] == ["arm64"]
        assert function["TracingConfig"] == {"Mode": "Active"}
        starts = {"Fn::If": ["HasSnapStart", "PublishedVersions", "None"]}
        assert function["SnapStart"] == {"ApplyOn": starts}
        assert function["RecursiveLoop"] == "Terminate"
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        log_group = expanded.resources[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert log_group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        assert function["MemorySize"] >= 512
        assert function["Timeout"] <= 60
        assert {"Key": "Service", "Value": "order-service"} in function["Tags"]
    assert len(expanded.of("Lambda::Alias")) == len(expanded.of("Lambda::Version")) == 4


def test_one_version_of_each_function_is_kept_and_parameters_make_a_new_one(
    expanded: Expanded, in_a_vpc: BakedProject
) -> None:
    assert expanded.template["Parameters"]["SnapStart"]["AllowedValues"] == ["on", "off"]
    for each, known in (
        (expanded, {"LogLevel", "SnapStart"}),
        (Expanded(in_a_vpc.path), {"LogLevel"}),
    ):
        for version in (x for x in each.resources.values() if x["Type"] == "AWS::Lambda::Version"):
            assert version["DeletionPolicy"] == "Delete"
            assert version.get("UpdateReplacePolicy", "Delete") == "Delete"
            described = version["Properties"]["Description"]["Fn::Sub"]
            assert set(re.findall(r"\${(\w+)}", described)) == known


def test_every_function_is_a_module_that_is_there(
    plain: BakedProject, in_a_vpc: BakedProject
) -> None:
    for project, names in ((plain, 4), (in_a_vpc, 3)):
        functions = Expanded(project.path).of("Lambda::Function").values()
        handlers = {function["Handler"] for function in functions}
        assert len(handlers) == names
        for handler in handlers:
            module, _, function = handler.rpartition(".")
            source = project.path / "src" / f"{module.replace('.', '/')}.py"
            assert f"\ndef {function}(" in source.read_text()


def test_every_function_has_a_role_of_its_own(expanded: Expanded) -> None:
    roles = {
        name: function["Role"]["Fn::GetAtt"][0]
        for name, function in expanded.of("Lambda::Function").items()
    }
    assert len(set(roles.values())) == 4
    for role in roles.values():
        properties = expanded.resources[role]["Properties"]
        assert "ManagedPolicyArns" not in properties
        for policy in properties["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                assert not any("*" in action for action in statement["Action"])
                if statement["Resource"] == "*":
                    assert statement["Sid"] in {"Traces", "Streams"}
                if "dynamodb:Scan" in statement["Action"]:
                    assert role == "WorkerRole", "it follows the feed, which begins with a scan"


def test_new_code_comes_by_canary_in_production_and_at_once_elsewhere(expanded: Expanded) -> None:
    groups = expanded.of("CodeDeploy::DeploymentGroup")
    assert len(groups) == 4
    for group in groups.values():
        names = str(group["DeploymentConfigName"])
        assert "IsProduction" in names
        assert names.index("Canary10Percent5Minutes") < names.index("AllAtOnce")
        assert group["AlarmConfiguration"]["Enabled"] is True


def test_the_table_is_protected(expanded: Expanded) -> None:
    table = expanded.one("DynamoDB::Table")
    assert expanded.resources["Table"]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert expanded.resources["Table"]["UpdateReplacePolicy"] == "Retain"
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert set(table["OnDemandThroughput"]) == {"MaxReadRequestUnits", "MaxWriteRequestUnits"}
    assert table["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] == 35
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["IsProduction", True, False]}


def test_the_stream_loses_nothing_and_gives_up_in_the_end(expanded: Expanded) -> None:
    mappings = expanded.of("Lambda::EventSourceMapping")
    stream = mappings["StreamFunctionCommits"]
    assert stream["StartingPosition"] == "TRIM_HORIZON"
    assert stream["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert stream["BisectBatchOnFunctionError"] is True
    assert 0 < stream["MaximumRetryAttempts"] <= 20
    assert 0 < stream["MaximumRecordAgeInSeconds"] <= 24 * 60 * 60
    assert stream["DestinationConfig"]["OnFailure"]["Destination"]
    assert '"events"' in stream["FilterCriteria"]["Filters"][0]["Pattern"]
    assert mappings["QueueFunctionCommands"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    for mapping in mappings.values():
        assert "Alias" in str(mapping["FunctionName"]), "the code that is live"


def test_queues_keep_what_could_not_be_handled(expanded: Expanded) -> None:
    queues = expanded.of("SQS::Queue")
    for queue in queues.values():
        assert queue["MessageRetentionPeriod"] == DAYS_14
        assert queue["SqsManagedSseEnabled"] is True
    timeout = expanded.of("Lambda::Function")["QueueFunction"]["Timeout"]
    assert queues["Commands"]["VisibilityTimeout"] == 6 * timeout
    assert queues["Commands"]["RedrivePolicy"]["maxReceiveCount"] >= 3


def test_the_api_is_logged_throttled_and_measured(expanded: Expanded) -> None:
    stage = expanded.one("ApiGatewayV2::Stage")
    assert stage["DefaultRouteSettings"]["DetailedMetricsEnabled"] is True
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == {"Ref": "ThrottlingRate"}
    assert stage["AccessLogSettings"]["DestinationArn"]
    body = expanded.one("ApiGatewayV2::Api")["Body"]
    cors = body["x-amazon-apigateway-cors"]
    assert cors["allowOrigins"] == ["https://localhost"]  # the default of CorsOrigin
    assert cors["allowMethods"] == ["GET", "POST"]
    for path in body["paths"].values():
        for method in path.values():
            assert method["x-amazon-apigateway-integration"]["payloadFormatVersion"] == "2.0"


def test_only_those_may_call_who_should(serverless: BakedProject, expanded: Expanded) -> None:
    auth = "jwt" if "JwtIssuer" in expanded.template["Parameters"] else ""
    paths = expanded.one("ApiGatewayV2::Api")["Body"]["paths"]
    secured = {
        (path, method): str(operation.get("security", ""))
        + str(operation.get("x-amazon-apigateway-auth", ""))
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    assert set(secured) == {("/{proxy+}", "get"), ("/{proxy+}", "post"), ("/health", "get")}
    chosen = (serverless.path / "template.yaml").read_text()
    for (path, _), by in secured.items():
        if path == "/health" or "DefaultAuthorizer" not in chosen:
            assert "Jwt" not in by
            assert "AWS_IAM" not in by
        else:
            assert ("Jwt" if auth else "AWS_IAM") in by


def test_there_is_an_alarm_for_all_that_can_go_wrong(expanded: Expanded) -> None:
    watched = {
        (alarm["Namespace"], alarm["MetricName"])
        for alarm in expanded.of("CloudWatch::Alarm").values()
    }
    assert watched == {
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/Lambda", "IteratorAge"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/ApiGateway", "5xx"),
        ("AWS/ApiGateway", "Latency"),
    }
    errors = [x for x in expanded.of("CloudWatch::Alarm").values() if x["MetricName"] == "Errors"]
    assert len(errors) == 4
    for alarm in errors:
        assert {"Name": "Resource"}.items() <= alarm["Dimensions"][1].items()
    assert expanded.of("CloudWatch::Dashboard")


def test_the_stages_are_configured(serverless: BakedProject) -> None:
    stages = tomllib.loads((serverless.path / "samconfig.toml").read_text())
    assert {"dev", "staging", "prod"} <= set(stages)
    assert stages["default"] == stages["dev"], "a plain `sam deploy` deploys to dev"
    for stage in ("dev", "staging", "prod"):
        assert f"Stage={stage}" in stages[stage]["deploy"]["parameters"]["parameter_overrides"]
    for name, parameter in expand(serverless.path)["Parameters"].items():
        assert parameter.get("Description"), f"{name} is not documented"


def test_sam_is_the_version_that_the_service_installs(plain: BakedProject) -> None:
    (named,) = re.findall(r"aws-sam-cli==([\d.]+)", (plain.path / "Makefile").read_text())
    assert f"version {named}" in run_tool(SAM, "--version", folder=plain.path).stdout


def test_a_plain_sam_deploy_deploys_to_dev(plain: BakedProject) -> None:
    """There is no AWS here: that it asks AWS means that it needs nothing more from whoever runs it."""
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
    said = run_tool(SAM, "deploy", folder=plain.path, **nowhere)
    assert "Could not connect to the endpoint" in said.stdout, said.stdout
