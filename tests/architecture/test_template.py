"""The template keeps its promises: own roles, least privilege, nothing unencrypted, nothing lost, logs that end."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from infra.local.intrinsics import Resolver
from infra.local.template import function_of, load_resolver

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0b1f"

ANY_RESOURCE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
"""AWS defines no resource for these, so that only `*` names one."""

Resources = dict[str, dict[str, Any]]


def resources_of(resolver: Resolver) -> Resources:
    return {
        name: {"Type": resource["Type"], **resource, "Properties": resolver.resolve(resource.get("Properties", {}))}
        for name, resource in resolver.template["Resources"].items()
        if resolver.exists(resource)
    }


@pytest.fixture(scope="module", params=["", KEY], ids=["managed-keys", "own-key"])
def resources(request: pytest.FixtureRequest) -> Resources:
    return resources_of(load_resolver(TEMPLATE, {"DataKeyArn": request.param}))


def of_type(resources: Resources, kind: str) -> dict[str, dict[str, Any]]:
    found = {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}
    assert found, f"no {kind}"
    return found


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(resources: Resources) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that any role or managed policy allows."""
    for name, resource in resources.items():
        properties = resource["Properties"]
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            documents.append(properties["PolicyDocument"])
        for document in documents:
            yield from ((name, statement) for statement in listed(document["Statement"]))


def test_every_function_has_a_role_of_its_own(resources: Resources) -> None:
    roles = [function["Role"] for function in of_type(resources, "AWS::Lambda::Function").values()]
    assert len(set(roles)) == len(roles)
    written = {
        f"arn:aws:iam::123456789012:role/storebridge-{name.lower()}" for name in of_type(resources, "AWS::IAM::Role")
    }
    assert set(roles) <= written


def test_roles_hold_no_policies_of_awss_own(resources: Resources) -> None:
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        assert not [arn for arn in role.get("ManagedPolicyArns") or [] if ":aws:policy/" in arn], name


def test_no_permission_is_wider_than_named_actions_on_named_resources(resources: Resources) -> None:
    for name, statement in statements(resources):
        where = f"{name}.{statement.get('Sid', '')}"
        actions = set(listed(statement["Action"]))
        assert statement["Effect"] == "Allow", where
        assert not {"NotAction", "NotResource"} & statement.keys(), where
        assert not [action for action in actions if "*" in action], where
        if "*" in listed(statement["Resource"]):
            assert actions <= ANY_RESOURCE, where
        assert all(may_end_with_star(arn) for arn in listed(statement["Resource"]) if "*" in arn and arn != "*"), where


def may_end_with_star(arn: str) -> bool:
    """A folder of the bucket, or the streams of one log group."""
    folder = arn.startswith("arn:aws:s3:::") and arn.count("/") >= 1 and arn.endswith("/*")
    log_group = ":log-group:" in arn and arn.endswith(":*")
    return arn.count("*") == 1 and (folder or log_group)


def test_keys_are_used_through_the_services_that_hold_the_data() -> None:
    resources = resources_of(load_resolver(TEMPLATE, {"DataKeyArn": KEY, "PersonalDataKeyArn": KEY}))
    found = [statement for _, statement in statements(resources) if "kms:Decrypt" in listed(statement["Action"])]
    assert len(found) == 2
    for statement in found:
        assert set(listed(statement["Action"])) == {"kms:Decrypt", "kms:GenerateDataKey"}
        services = listed(statement["Condition"]["StringLike"]["kms:ViaService"])
        assert {service.partition(".")[0] for service in services} <= {"dynamodb", "s3", "secretsmanager"}


def test_functions_say_how_long_and_how_much(resources: Resources) -> None:
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        assert 1 <= function["Timeout"] <= 900, name
        assert function["MemorySize"] >= 256, name
        assert function["Runtime"] == "python3.13", name
        # Nobody pays for traces who did not ask for them: infra/docs/costs.md.
        assert function["TracingConfig"] == {"Mode": "PassThrough"}, name
        assert function["Handler"].startswith("functions."), name
        assert "POWERTOOLS_SERVICE_NAME" in function["Environment"]["Variables"], name
        assert "Layers" not in function, name


def test_every_function_logs_to_a_group_of_its_own_that_ends(resources: Resources) -> None:
    groups = {group["LogGroupName"]: group for group in of_type(resources, "AWS::Logs::LogGroup").values()}
    used = [function["LoggingConfig"]["LogGroup"] for function in of_type(resources, "AWS::Lambda::Function").values()]
    assert len(set(used)) == len(used)
    assert set(used) <= groups.keys()
    assert all(group["RetentionInDays"] for group in groups.values())


def test_what_fails_without_a_caller_is_kept(resources: Resources) -> None:
    """Streams and schedules have an on-failure destination, queues a dead-letter queue, all on queues of this stack."""
    queues = {f"arn:aws:sqs:eu-west-1:123456789012:{queue['QueueName']}": queue
              for queue in of_type(resources, "AWS::SQS::Queue").values()}  # fmt: skip
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        if mapping["EventSourceArn"] in queues:
            policy = queues[mapping["EventSourceArn"]]["RedrivePolicy"]
            assert policy["deadLetterTargetArn"] in queues
            assert policy["maxReceiveCount"] >= 3
        else:
            assert mapping["DestinationConfig"]["OnFailure"]["Destination"] in queues
            assert mapping["MaximumRetryAttempts"] > 0
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    invoked = {
        config["FunctionName"]: config for config in of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    }
    for schedule in of_type(resources, "AWS::Scheduler::Schedule").values():
        assert schedule["Target"]["DeadLetterConfig"]["Arn"] in queues
        assert "RetryPolicy" in schedule["Target"]
        function = schedule["Target"]["Arn"].rpartition(":")[2]
        assert invoked[function]["DestinationConfig"]["OnFailure"]["Destination"] in queues


def test_a_function_may_send_to_the_queues_that_take_its_failures(resources: Resources) -> None:
    roles = {name: function["Role"] for name, function in of_type(resources, "AWS::Lambda::Function").items()}
    may_send = {
        f"arn:aws:iam::123456789012:role/storebridge-{name.lower()}": set(listed(statement["Resource"]))
        for name, statement in statements(resources)
        if statement.get("Sid") == "SetAside"
    }
    by_name = {function["FunctionName"]: name for name, function in of_type(resources, "AWS::Lambda::Function").items()}
    configured = [
        *of_type(resources, "AWS::Lambda::EventSourceMapping").values(),
        *of_type(resources, "AWS::Lambda::EventInvokeConfig").values(),
    ]
    for properties in configured:
        target = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if target:
            assert target in may_send[roles[by_name[function_of(properties["FunctionName"])]]]


def test_a_queue_outlives_six_timeouts_of_its_function(resources: Resources) -> None:
    timeouts = {f["FunctionName"]: f["Timeout"] for f in of_type(resources, "AWS::Lambda::Function").values()}
    queues = {queue["QueueName"]: queue for queue in of_type(resources, "AWS::SQS::Queue").values()}
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        queue = queues.get(mapping["EventSourceArn"].rpartition(":")[2])
        if ":sqs:" in mapping["EventSourceArn"]:
            assert queue is not None
            assert queue["VisibilityTimeout"] >= 6 * timeouts[function_of(mapping["FunctionName"])]


def test_queues_are_encrypted_and_dead_letters_are_kept_for_two_weeks(resources: Resources) -> None:
    for name, queue in of_type(resources, "AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] is True, name
        if "RedrivePolicy" not in queue:
            assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600, name


def test_every_queue_refuses_whoever_comes_without_tls(resources: Resources) -> None:
    (policy,) = of_type(resources, "AWS::SQS::QueuePolicy").values()
    queues = of_type(resources, "AWS::SQS::Queue").values()
    assert sorted(url.rpartition("/")[2] for url in policy["Queues"]) == sorted(each["QueueName"] for each in queues)
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "sqs:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    for queue in queues:
        assert fnmatch(f"arn:aws:sqs:eu-west-1:123456789012:{queue['QueueName']}", statement["Resource"])


def test_what_feeds_a_function_bounds_how_many_run_at_a_time(resources: Resources) -> None:
    """A queue by a number, a stream by its one shard, the API by its throttling."""
    for name, mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").items():
        if ":sqs:" in mapping["EventSourceArn"]:
            assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2, name
        else:
            assert mapping.get("ParallelizationFactor", 1) == 1, name


def test_whoever_is_invoked_without_a_caller_has_a_place_for_what_fails(resources: Resources) -> None:
    """All but those that a request, a queue or a stream calls."""
    fed = {each["FunctionName"].split(":function:")[-1].partition(":")[0]
           for each in of_type(resources, "AWS::Lambda::EventSourceMapping").values()}  # fmt: skip
    asked = {each["FunctionName"].split(":function:")[-1].partition(":")[0]
             for each in of_type(resources, "AWS::Lambda::Permission").values()}  # fmt: skip
    kept = {each["FunctionName"] for each in of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
            if each["DestinationConfig"]["OnFailure"]["Destination"]}  # fmt: skip
    assert {each["FunctionName"] for each in of_type(resources, "AWS::Lambda::Function").values()} == fed | asked | kept


STREAMED = {"CustomersTable", "OrdersTable", "StockTable"}
"""Tables whose changes are an outbox."""
EXPIRING = {"CustomersTable", "OrdersTable", "SyncTable"}
"""Tables with items that end by themselves: persons, and what was noted for a while. Books and stock are kept."""


def test_tables_are_encrypted_recoverable_streamed_and_never_deleted(
    resources: Resources, request: pytest.FixtureRequest
) -> None:
    key = request.node.callspec.params["resources"]
    for name, table in of_type(resources, "AWS::DynamoDB::Table").items():
        assert table["SSESpecification"]["SSEEnabled"] is True, name
        assert table["SSESpecification"].get("KMSMasterKeyId", "") == key, name
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, name
        if name in STREAMED:
            assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES", name
        assert ("TimeToLiveSpecification" in table) == (name in EXPIRING), name
        assert table["DeletionProtectionEnabled"] is True, name
        assert table["BillingMode"] == "PAY_PER_REQUEST", name
        assert len(table["TableName"]) >= 11, name  # botocore refuses the local engine's stream otherwise


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"])
def test_data_outlives_the_stack(resources: Resources, kind: str) -> None:
    for name in of_type(resources, kind):
        assert resources[name]["DeletionPolicy"] == resources[name]["UpdateReplacePolicy"] == "Retain", name


def test_the_bucket_is_private_encrypted_expiring_and_reached_by_tls_only(resources: Resources) -> None:
    policies = {policy["Bucket"]: policy for policy in of_type(resources, "AWS::S3::BucketPolicy").values()}
    for name, bucket in of_type(resources, "AWS::S3::Bucket").items():
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"], name
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name
        expiring = [rule["Prefix"] for rule in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule]
        holds_buyers_data = name == "ArchiveBucket"
        assert expiring == (["orders/", "customers/", "oversize/"] if holds_buyers_data else []), name
        # An erased buyer must be gone, not one version back; of reports every version stays.
        assert (bucket.get("VersioningConfiguration") is None) == holds_buyers_data, name
        (statement,) = policies[f"storebridge-{name.lower()}"]["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert len(statement["Resource"]) == 2


def test_what_a_function_is_told_of_it_may_use(resources: Resources) -> None:
    """Each table, queue, secret, bucket and bus named in a function's variables is named in its role."""
    roles = {
        f"arn:aws:iam::123456789012:role/storebridge-{name.lower()}": role
        for name, role in of_type(resources, "AWS::IAM::Role").items()
    }
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        allowed = [
            re.sub("/(?:orders|customers|oversize|days)$", "", arn.partition("/*")[0])
            for policy in roles[function["Role"]]["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            for arn in listed(statement["Resource"])
        ]
        for variable, value in function["Environment"]["Variables"].items():
            if variable.endswith(("_TABLE", "_URL", "_SECRET_ID", "_BUCKET", "_BUS_NAME", "_PARAMETER")):
                if variable in ("WEBHOOK_BASE_URL", "PUBLIC_URL"):  # addresses to tell others, not something to use
                    continue
                last = str(value).rpartition("/")[2] if variable.endswith("_URL") else str(value)
                assert any(arn.endswith(last) for arn in allowed), f"{name}: {variable}"


def test_access_logs_tell_nothing_of_the_caller(resources: Resources) -> None:
    for stage in of_type(resources, "AWS::ApiGatewayV2::Stage").values():
        logged = stage["AccessLogSettings"]["Format"]
        assert "$context.status" in logged
        assert not [word for word in ("identity", "sourceIp", "userAgent", "authorizer", "path") if word in logged]
        assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0


def test_every_parameter_and_output_is_explained() -> None:
    template = load_resolver(TEMPLATE).template
    for section in ("Parameters", "Outputs"):
        assert all(entry.get("Description") for entry in template[section].values())
