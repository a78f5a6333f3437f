"""Intrinsic functions come out as CloudFormation would make them, with the local names."""

from typing import Any

import pytest

from infra.local.intrinsics import Resolver, TemplateError

RESOURCES: dict[str, Any] = {
    "Jobs": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${AWS::StackName}-jobs"}}},
    "Nameless": {"Type": "AWS::SQS::Queue"},
    "Things": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "all-the-things"}},
    "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/logs"}},
    "Topic": {"Type": "AWS::SNS::Topic"},
    "Odd": {"Type": "AWS::Odd::Thing", "Condition": "IsSmall"},
}
CONDITIONS: dict[str, Any] = {
    "IsLarge": {"Fn::Equals": [{"Ref": "Size"}, "large"]},
    "IsSmall": {"Fn::Not": [{"Condition": "IsLarge"}]},
    "Both": {"Fn::And": [{"Condition": "IsLarge"}, {"Condition": "IsSmall"}]},
    "Either": {"Fn::Or": [{"Condition": "IsLarge"}, {"Condition": "IsSmall"}]},
    "Strange": {"Fn::Maybe": []},
}


@pytest.fixture
def resolver() -> Resolver:
    return Resolver({"Resources": RESOURCES, "Conditions": CONDITIONS}, {"Size": "large", "Count": 3}, "acme")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"Ref": "Size"}, "large"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "Jobs"}, "https://sqs.eu-west-1.amazonaws.com/123456789012/acme-jobs"),
        ({"Ref": "Things"}, "all-the-things"),
        ({"Ref": "Topic"}, "arn:aws:sns:eu-west-1:123456789012:acme-topic"),
        ({"Fn::GetAtt": ["Nameless", "Arn"]}, "arn:aws:sqs:eu-west-1:123456789012:acme-nameless"),
        ({"Fn::GetAtt": "Jobs.QueueName"}, "acme-jobs"),
        (
            {"Fn::GetAtt": ["Things", "StreamArn"]},
            "arn:aws:dynamodb:eu-west-1:123456789012:table/all-the-things/stream/local",
        ),
        ({"Fn::GetAtt": ["Logs", "Arn"]}, "arn:aws:logs:eu-west-1:123456789012:log-group:/logs:*"),
        ({"Fn::Sub": "${Count} ${Jobs.Arn} ${!As}"}, "3 arn:aws:sqs:eu-west-1:123456789012:acme-jobs ${As}"),
        ({"Fn::Sub": ["${own}/${Size}", {"own": {"Ref": "AWS::Partition"}}]}, "aws/large"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Count"}]]}, "a-3"),
        ({"Fn::If": ["IsLarge", "yes", "no"]}, "yes"),
        ({"Fn::If": ["IsSmall", "yes", "no"]}, "no"),
        ({"Fn::If": ["Both", "yes", "no"]}, "no"),
        ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
        ({"Fn::Select": [1, {"Fn::Split": [",", "a,b,c"]}]}, "b"),
        ({"keep": 1, "drop": {"Ref": "AWS::NoValue"}}, {"keep": 1}),
        ([1, {"Fn::If": ["IsSmall", 2, {"Ref": "AWS::NoValue"}]}], [1]),
        ({"Ref": "AWS::NoValue"}, None),
    ],
)  # fmt: skip
def test_a_value_is_resolved(resolver: Resolver, value: Any, wanted: Any) -> None:
    assert resolver.resolve(value) == wanted


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"Ref": "Nobody"}, "Nobody"),
        ({"Fn::GetAtt": ["Jobs", "Colour"]}, "Jobs.Colour"),
        ({"Fn::GetAtt": ["Odd", "Arn"]}, "Odd.Arn"),
        ({"Fn::Cidr": []}, "Fn::Cidr"),
        ({"Fn::If": ["Never", 1, 2]}, "Never"),
        ({"Fn::If": ["Strange", 1, 2]}, "Fn::Maybe"),
    ],
)
def test_what_cannot_be_resolved_is_named(resolver: Resolver, value: Any, named: str) -> None:
    with pytest.raises(TemplateError, match=named):
        resolver.resolve(value)


def test_a_resource_exists_while_its_condition_holds(resolver: Resolver) -> None:
    assert resolver.exists(RESOURCES["Jobs"])
    assert not resolver.exists(RESOURCES["Odd"])
