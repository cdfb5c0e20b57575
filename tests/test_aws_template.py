"""template.yaml, expanded as AWS expands it: linted, and asked for what a platform team asks for."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from .aws import SAM, TOOLS, expand, findings, run_tool
from .support import TEMPLATE, BakedProject, bake

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


SHARED = {  # names within something that is the stack's own
    ("AWS::ApiGatewayV2::Stage", "StageName"),
    ("AWS::CloudWatch::Alarm", "MetricName"),
    ("AWS::Lambda::Alias", "Name"),
}


def in_stack(stack: str, node: Any) -> Any:
    """A value with the stack's name put in. What CloudFormation makes has a name of its own."""
    match node:
        case {"Ref": "AWS::StackName"}:
            return stack
        case {"Ref": name} | {"Fn::GetAtt": [name, *_]}:
            return f"{stack}/{name}"
        case {"Fn::Sub": str(text)}:
            return text.replace("${AWS::StackName}", stack)
        case dict():
            return {name: in_stack(stack, each) for name, each in node.items()}
        case list():
            return [in_stack(stack, each) for each in node]
    return node


def names(expanded: Expanded, stack: str) -> set[str]:
    """The physical names of all resources in a stack of this name."""
    return {
        f"{resource['Type']} {in_stack(stack, value)}"
        for resource in expanded.resources.values()
        for name, value in resource.get("Properties", {}).items()
        if name.endswith("Name") and (resource["Type"], name) not in SHARED
        if name != "DeploymentConfigName"  # one of AWS's
    }


def test_two_stacks_side_by_side_share_no_name(plain: BakedProject, in_a_vpc: BakedProject) -> None:
    for project in (plain, in_a_vpc):
        expanded = Expanded(project.path)
        assert len(names(expanded, "dev")) >= 10
        assert names(expanded, "dev") & names(expanded, "staging") == set()


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
    ("      KmsMasterKeyId: !Ref AlarmKey\n", "", "CKV_AWS_26"),
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
        level = function["LoggingConfig"]["ApplicationLogLevel"]["Fn::FindInMap"]
        assert level == ["LogLevels", {"Ref": "LogLevel"}, "lambda"]
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
        assert len(group["AlarmConfiguration"]["Alarms"]) in (3, 4)


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
    assert stream["ParallelizationFactor"] == {"Ref": "StreamParallelization"}
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


def test_the_access_log_names_the_caller_as_the_service_does(
    serverless: BakedProject, expanded: Expanded
) -> None:
    logged = json.loads(expanded.one("ApiGatewayV2::Stage")["AccessLogSettings"]["Format"])
    assert (
        logged.get("caller")
        == {
            "none": None,
            "iam": "$context.identity.userArn",
            "jwt": "$context.authorizer.claims.iss $context.authorizer.claims.sub",
        }[str(serverless.answers.get("auth"))]
    )


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
        ("AWS/Lambda", "Invocations"),
        ("order-service", "Failed"),
        ("order-service", "Parked"),
        ("order-service", "DeadLetters"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/ApiGateway", "5xx"),
        ("AWS/ApiGateway", "Latency"),
        ("AWS/DynamoDB", "ReadThrottleEvents"),
        ("AWS/DynamoDB", "WriteThrottleEvents"),
    }
    throttled = {
        (alarm["MetricName"], *(each["Value"] for each in alarm["Dimensions"][1:]))
        for alarm in expanded.of("CloudWatch::Alarm").values()
        if alarm["Namespace"] == "AWS/DynamoDB"
    }
    indexes = [
        (index["IndexName"],) for index in expanded.one("DynamoDB::Table")["GlobalSecondaryIndexes"]
    ]
    assert throttled == {
        (f"{kind}ThrottleEvents", *where) for kind in ("Read", "Write") for where in ((), *indexes)
    }
    errors = [x for x in expanded.of("CloudWatch::Alarm").values() if x["MetricName"] == "Errors"]
    assert len(errors) == 4
    for alarm in errors:
        assert {"Name": "Resource"}.items() <= alarm["Dimensions"][1].items()
    assert expanded.of("CloudWatch::Dashboard")


def test_an_alarm_goes_off_when_the_schedule_stops(expanded: Expanded) -> None:
    alarm = expanded.of("CloudWatch::Alarm")["WorkerStopped"]
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["ComparisonOperator"] == "LessThanThreshold"
    schedule = expanded.one("Scheduler::Schedule")["ScheduleExpression"]
    assert (alarm["Threshold"], schedule) == (1, "rate(1 minute)")
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 10 * 60


UNITS = 22
"""What an order costs at most, in write units: 14 for the three commits, 4 in the index of what is
due, and 4 for its row in the read model. The service's tests measure the commits."""

FOLLOW_UPS = 2
QUEUED = 10  # orders a second that one batch of the queue takes at a time, at 100 ms each


def scaled(page: str) -> list[list[int]]:
    """The rows of the page's table: orders a second, and what to set."""
    rows = [line.strip("| ").split(" | ") for line in page.splitlines()]
    return [
        [int(cell.replace(",", "")) for cell in row]
        for row in rows
        if len(row) == 8 and row[0].replace(",", "").isdecimal()
    ]


def test_the_limits_fit_each_other(plain: BakedProject) -> None:
    """What the API and the queue let in, the table and its index can take; in each row of the page,
    the first of which has the defaults."""
    rows = scaled((TEMPLATE / "docs/how-to/operate-on-aws.md").read_text())
    parameters = Expanded(plain.path).template["Parameters"]
    names = ["ThrottlingRate", "ThrottlingBurst", "QueueConcurrency", "MaxWriteRequestUnits"]
    names += ["DueShards", "StreamParallelization"]
    assert rows[0][1:7] == [parameters[name]["Default"] for name in names]
    assert len(rows) >= 3
    for orders, rate, burst, queue, units, shards, _, _ in rows:
        assert orders == rate + queue * QUEUED
        assert burst == 2 * rate
        assert orders * UNITS <= units
        # put, claimed (which moves it), deleted: a shard takes a thousand writes a second
        assert orders * FOLLOW_UPS * 4 <= shards * 1000


def test_the_functions_on_postgres_have_no_more_connections_than_they_may(
    in_a_vpc: BakedProject,
) -> None:
    expanded = Expanded(in_a_vpc.path)
    functions = expanded.of("Lambda::Function")
    reserved = {
        name: function["ReservedConcurrentExecutions"]["Fn::FindInMap"]
        for name, function in functions.items()
    }
    place = ["Concurrency", {"Ref": "DatabaseConnections"}]
    words = {"ApiFunction": "api", "WorkerFunction": "worker", "QueueFunction": "queue"}
    assert reserved == {name: [*place, word] for name, word in words.items()}
    sizes = expanded.template["Mappings"]["Concurrency"]
    assert list(sizes) == expanded.template["Parameters"]["DatabaseConnections"]["AllowedValues"]
    for connections, size in sizes.items():
        assert 0.9 * int(connections) <= 2 * sum(size.values()) <= int(connections)
    mapping = expanded.one("Lambda::EventSourceMapping")
    queue = mapping["ScalingConfig"]["MaximumConcurrency"]["Fn::FindInMap"]
    assert queue == reserved["QueueFunction"]


def test_no_variable_holds_the_password_and_only_its_secret_may_be_read(
    in_a_vpc: BakedProject,
) -> None:
    expanded = Expanded(in_a_vpc.path)
    assert "resolve:" not in str(expanded.template)
    for function in expanded.of("Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        assert "DATABASE_URL" not in variables
        assert variables["DATABASE_SECRET_ARN"] == {"Ref": "DatabaseSecretArn"}
        assert variables["DATABASE_POOLER"] == {"Ref": "DatabasePooler"}
        role = expanded.resources[function["Role"]["Fn::GetAtt"][0]]["Properties"]
        statements = role["Policies"][0]["PolicyDocument"]["Statement"]
        (secret,) = [each for each in statements if "secretsmanager" in str(each["Action"])]
        assert secret["Action"] == ["secretsmanager:GetSecretValue"]
        assert secret["Resource"] == {"Ref": "DatabaseSecretArn"}


def decided(node: Any, parameters: dict[str, Any]) -> Any:
    """What a condition of CloudFormation comes to."""
    match node:
        case {"Ref": name}:
            return parameters[name]
        case {"Fn::Equals": [left, right]}:
            return decided(left, parameters) == decided(right, parameters)
        case {"Fn::Not": [each]}:
            return not decided(each, parameters)
        case {"Fn::Or": several}:
            return any(decided(each, parameters) for each in several)
    return node


def is_deployed(expanded: Expanded, **given: Any) -> bool:
    """Whether CloudFormation would take these parameters, with the defaults of the others."""
    values = {
        name: given.get(name, parameter.get("Default"))
        for name, parameter in expanded.template["Parameters"].items()
    }
    return all(
        decided(assertion["Assert"], values)
        for rule in expanded.template["Rules"].values()
        if decided(rule.get("RuleCondition", True), values)
        for assertion in rule["Assertions"]
    )


def test_production_is_not_deployed_unless_somebody_is_told_of_alarms(
    plain: BakedProject, in_a_vpc: BakedProject
) -> None:
    for project in (plain, in_a_vpc):
        expanded = Expanded(project.path)
        assert is_deployed(expanded, Stage="dev")
        assert not is_deployed(expanded, Stage="prod")
        assert is_deployed(expanded, Stage="prod", AlarmEmail="ops@example.com")
        assert is_deployed(expanded, Stage="prod", AlarmTopicArn="arn:aws:sns:eu:1:t")
        for alarm in expanded.of("CloudWatch::Alarm").values():
            told = [action["Fn::If"][1]["Ref"] for action in alarm["AlarmActions"]]
            assert told == ["AlarmTopicArn", "AlarmTopic"]


def test_cloudwatch_may_use_the_topic_of_the_alarms_and_its_key(expanded: Expanded) -> None:
    assert expanded.one("SNS::Topic")["KmsMasterKeyId"] == {"Ref": "AlarmKey"}
    for policy, action in (
        (expanded.one("SNS::TopicPolicy")["PolicyDocument"], "sns:Publish"),
        (expanded.one("KMS::Key")["KeyPolicy"], "kms:GenerateDataKey*"),
    ):
        granted = {
            str(each["Principal"].get("Service")): each["Action"] for each in policy["Statement"]
        }
        assert action in granted["cloudwatch.amazonaws.com"]


# What a deployment is rolled back for: bugs are planted, and the log is read as CloudWatch does

BUGS = """
import json, logging, os, sys
import pytest
from order_service.adapters.event_store import dynamodb
from order_service.bus import StoreUnavailable
from order_service.config import load_settings
from tests.support.lambda_functions import stream
from tests.support.moto_server import REGION, moto_server

logging.getLogger("werkzeug").disabled = True

def fails(*_):
    raise RuntimeError("planted")

def is_away(*_):
    raise StoreUnavailable("planted")

def request(method, path, **body):
    context = {"http": {"method": method, "path": path, "sourceIp": None}}
    return {
        "version": "2.0", "rawPath": path, "rawQueryString": "", "requestContext": context,
        "headers": {"content-type": "application/json"}, "body": json.dumps(body),
        "isBase64Encoded": False,
    }

def messages(order_id):
    body = json.dumps({"command": "CreateOrder", "body": {"order_id": order_id, "data": {}}})
    return {"Records": [{"messageId": order_id, "body": body}]}

def run(title, function, event, handler=None, bug=fails):
    name = function.__name__.partition("_")[0].replace("handler", "api")
    os.environ["AWS_LAMBDA_FUNCTION_NAME"] = f"shop-{name}"
    with pytest.MonkeyPatch.context() as patch:
        if handler:
            patch.setattr(*handler, bug)
        print("--", title, file=sys.stderr)
        answer = function(event, None)
    print(f"-- answered {title} {answer.get('statusCode')}", file=sys.stderr)

with moto_server() as url:
    os.environ |= {"STORE": "dynamodb", "AWS_ENDPOINT_URL": url, "AWS_REGION": REGION}
    os.environ["AWS_ACCOUNT_ID_ENDPOINT_MODE"] = "disabled"
    dynamodb.create(load_settings())
    from order_service.domain.order import commands
    from order_service.entrypoints.aws.http import handler
    from order_service.entrypoints.aws.queue import queue_handler
    from order_service.entrypoints.aws.runtime import bus
    from order_service.entrypoints.aws.stream import stream_handler
    from order_service.entrypoints.aws.worker import worker_handler
    create, process = (
        (bus.registry.commands[each], "handle")
        for each in (commands.CreateOrder, commands.ProcessOrder)
    )
    run("nothing", handler, request("POST", "/orders", order_id="a", data={}))
    run("refused", handler, request("POST", "/orders", order_id="a", data={}))
    run("unknown", handler, request("GET", "/orders/none"))
    run("invalid", handler, request("POST", "/orders", order_id="a b"))
    run("poisoned", queue_handler, {"Records": [{"messageId": "p", "body": "poison"}]})
    run("http", handler, request("POST", "/orders", order_id="b", data={}), create)
    run("queue", queue_handler, messages("c"), create)
    run("follow-up", queue_handler, messages("d"), process)
    run("projection", stream_handler, {"Records": stream()}, (bus, "project"))
    run("store", queue_handler, messages("e"), (bus.store, "append"), is_away)
    for row in bus.store.pending("Order/d"):
        os.environ["AWS_LAMBDA_FUNCTION_NAME"] = "shop-worker"
        print("-- parked", file=sys.stderr)
        bus.park(row, "planted")
        bus.park(row, "planted")
    run("parked still", worker_handler, None)
    bus.store.close()
"""

NO_FAILURES = ("nothing", "refused", "unknown", "invalid", "poisoned")

Metrics = set[tuple[str, str, str]]
"""The namespace, the name and the function of each metric."""


@pytest.fixture(scope="module")
def logged(plain: BakedProject) -> dict[str, list[str]]:
    """What the functions log: for each bug, the lines."""
    said = run_tool(
        *(sys.executable, "-c", BUGS),
        folder=plain.path,
        PYTHONPATH=f"src{os.pathsep}.",
        PYTHONDONTWRITEBYTECODE="1",
    )
    assert said.returncode == 0, said.stdout
    found: dict[str, list[str]] = {}
    for line in said.stdout.splitlines():
        if line.startswith("-- "):
            found[line.removeprefix("-- ")] = []
        elif found:
            list(found.values())[-1].append(line)
    return found


def metrics(lines: list[str]) -> Metrics:
    """What CloudWatch makes of these lines."""
    found = set()
    for line in map(json.loads, lines):
        for metric in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            assert abs(line["_aws"]["Timestamp"] / 1000 - time.time()) < 600
            (dimensions,) = metric["Dimensions"]
            for each in metric["Metrics"]:
                assert line[each["Name"]] >= 1
                place = " ".join(f"{name}={line[name]}" for name in dimensions)
                found.add((metric["Namespace"], each["Name"], place))
    return found


def watched(expanded: Expanded, name: str) -> Metrics:
    """What the deployment of a function is rolled back for, in a stack called `shop`."""
    (group,) = (
        each
        for key, each in expanded.of("CodeDeploy::DeploymentGroup").items()
        if key == f"{name}FunctionDeploymentGroup"
    )
    alarms = {
        in_stack("shop", alarm.get("AlarmName", {"Ref": name})): alarm
        for name, alarm in expanded.of("CloudWatch::Alarm").items()
    }
    found = set()
    for each in group["AlarmConfiguration"]["Alarms"]:
        alarm = alarms[in_stack("shop", each["Name"])]
        dimensions = in_stack("shop", alarm["Dimensions"])
        place = " ".join(f"{one['Name']}={one['Value']}" for one in dimensions)
        found.add((alarm["Namespace"], alarm["MetricName"], place))
    return found


@pytest.mark.parametrize(
    ("bug", "function", "metric"),
    [
        ("http", "Api", "Failed"),
        ("queue", "Queue", "Failed"),
        ("follow-up", "Queue", "Failed"),
        ("projection", "Stream", "Failed"),
        ("store", "Queue", "Failed"),
        ("parked", "Worker", "Parked"),
    ],
)
def test_a_bug_raises_what_its_deployment_is_rolled_back_for(
    plain: BakedProject, logged: dict[str, list[str]], bug: str, function: str, metric: str
) -> None:
    expected = ("order-service", metric, f"FunctionName=shop-{function.lower()}")
    assert metrics(logged[bug]) == {expected}
    assert expected in watched(Expanded(plain.path), function)


def test_the_api_is_rolled_back_for_what_it_answers(
    plain: BakedProject, logged: dict[str, list[str]]
) -> None:
    assert "answered http 500" in logged
    assert "answered follow-up None" in logged
    found = watched(Expanded(plain.path), "Api")
    assert ("AWS/ApiGateway", "5xx", "ApiId=shop/Api") in found


def test_a_dead_letter_counts_once_and_shows_until_it_is_gone(
    plain: BakedProject, logged: dict[str, list[str]]
) -> None:
    assert len([line for line in logged["parked"] if '"Parked"' in line]) == 1
    still = ("order-service", "DeadLetters", "FunctionName=shop-worker")
    assert metrics(logged["parked still"]) == {still}
    alarm = Expanded(plain.path).of("CloudWatch::Alarm")["DeadLetters"]
    assert alarm["MetricName"] == "DeadLetters"


@pytest.mark.parametrize("event", NO_FAILURES)
def test_what_the_service_refuses_is_no_failure(logged: dict[str, list[str]], event: str) -> None:
    assert logged[event]
    assert metrics(logged[event]) == set()


def test_each_line_has_a_level_and_a_time_that_lambda_knows(logged: dict[str, list[str]]) -> None:
    lines = [json.loads(line) for each in logged.values() for line in each]
    assert {line["level"] for line in lines} == {"info", "warn", "error"}
    for line in lines:
        assert datetime.fromisoformat(line["timestamp"]).tzinfo


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
