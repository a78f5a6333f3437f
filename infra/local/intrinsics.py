"""Resolve CloudFormation's intrinsic functions to what the resources are called on the local stack. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-west-1"

_SUB = re.compile(r"\$\{([^}]+)\}")
_NO_VALUE = object()

_NAME_PROPERTY = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::EventBus": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::SecretsManager::Secret": "Name",
}

_ARN = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{}}",
    "AWS::Events::EventBus": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{{}}",
    "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{ACCOUNT}:policy/{{}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{}}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{{}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{}}",
    "AWS::SecretsManager::Secret": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{{}}",
}

_REF_IS_ARN = {"AWS::IAM::ManagedPolicy", "AWS::Lambda::Alias", "AWS::SNS::Topic"}

_ONLY_VERSION = "1"
"""Nothing is deployed twice on the local stack."""


class TemplateError(Exception):
    """The template says something that the local stack cannot follow. Names the place."""


@dataclass(frozen=True)
class Resolver:
    """Values of one transformed template, for one stack name and set of parameters.

    Raises:
        TemplateError: a function, parameter, resource or attribute that is unknown here.
    """

    template: Mapping[str, Any]
    parameters: Mapping[str, Any]
    stack_name: str
    _conditions: dict[str, bool] = field(default_factory=dict, repr=False)

    def resolve(self, value: Any) -> Any:
        """The value with every intrinsic replaced; properties set to `AWS::NoValue` are left out."""
        resolved = self._resolve(value)
        return None if resolved is _NO_VALUE else resolved

    def exists(self, resource: Mapping[str, Any]) -> bool:
        """Whether the resource's condition holds."""
        name = resource.get("Condition")
        return name is None or self.condition(name)

    def condition(self, name: str) -> bool:
        if name not in self._conditions:
            try:
                expression = self.template["Conditions"][name]
            except KeyError:
                raise TemplateError(f"there is no condition {name}") from None
            self._conditions[name] = self._truth(expression)
        return self._conditions[name]

    def name_of(self, logical_id: str) -> str:
        """The physical name: the one that the template gives, or one made of stack name and logical id."""
        resource = self._resource(logical_id)
        given = resource.get("Properties", {}).get(_NAME_PROPERTY.get(resource["Type"], ""))
        return str(self.resolve(given)) if given is not None else f"{self.stack_name}-{logical_id}".lower()

    def _resource(self, logical_id: str) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = self.template["Resources"][logical_id]
        except KeyError:
            raise TemplateError(f"there is neither a parameter nor a resource {logical_id}") from None
        return found

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            key, argument = next(iter(value.items()))
            if key == "Ref" or key.startswith("Fn::"):
                return self._call(key, argument)
        resolved = {key: self._resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def _call(self, function: str, argument: Any) -> Any:
        functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": lambda given: str(given[0]).join(str(part) for part in self._resolve(given[1])),
            "Fn::If": lambda given: self._resolve(given[1] if self.condition(given[0]) else given[2]),
            "Fn::Select": lambda given: self._resolve(given[1])[int(self._resolve(given[0]))],
            "Fn::Split": lambda given: str(self._resolve(given[1])).split(given[0]),
        }
        if function not in functions:
            raise TemplateError(f"the local stack does not know {function}")
        return functions[function](argument)

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": _NO_VALUE,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackName": self.stack_name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        kind = self._resource(name)["Type"]
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.name_of(name)}"
        return self._get_att([name, "Arn"]) if kind in _REF_IS_ARN else self.name_of(name)

    def _get_att(self, path: Any) -> str:
        logical_id, attribute = path if isinstance(path, list) else path.split(".", 1)
        kind = self._resource(logical_id)["Type"]
        if kind in {"AWS::Lambda::Alias", "AWS::Lambda::Version"}:
            return self._of_deployed_function(logical_id, kind, attribute)
        name = self.name_of(logical_id)
        if attribute == "Arn" and kind in _ARN:
            return _ARN[kind].format(name)
        if (kind, attribute) == ("AWS::DynamoDB::Table", "StreamArn"):
            return f"{_ARN[kind].format(name)}/stream/local"
        if (kind, attribute) == ("AWS::SQS::Queue", "QueueName"):
            return name
        raise TemplateError(f"the local stack does not know the attribute {logical_id}.{attribute} ({kind})")

    def _of_deployed_function(self, logical_id: str, kind: str, attribute: str) -> str:
        """An alias is named after its function, as in Lambda: `…:function:NAME:ALIAS`."""
        properties = self._resource(logical_id)["Properties"]
        if (kind, attribute) == ("AWS::Lambda::Version", "Version"):
            return _ONLY_VERSION
        if (kind, attribute) == ("AWS::Lambda::Alias", "Arn"):
            function = _ARN["AWS::Lambda::Function"].format(self._resolve(properties["FunctionName"]))
            return f"{function}:{self._resolve(properties['Name'])}"
        raise TemplateError(f"the local stack does not know the attribute {logical_id}.{attribute} ({kind})")

    def _sub(self, argument: Any) -> str:
        text, given = argument if isinstance(argument, list) else (argument, {})
        values = {key: self._resolve(item) for key, item in given.items()}

        def value_of(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in values:
                return str(values[name])
            return str(self._get_att(name) if "." in name else self._ref(name))

        return _SUB.sub(value_of, text)

    def _truth(self, expression: Any) -> bool:
        function, argument = next(iter(expression.items()))
        if function == "Condition":
            return self.condition(argument)
        if function == "Fn::Equals":
            left, right = (str(self._resolve(side)) for side in argument)
            return left == right
        if function not in {"Fn::Not", "Fn::And", "Fn::Or"}:
            raise TemplateError(f"the local stack does not know the condition {function}")
        truths = [self._truth(item) for item in argument]
        return {"Fn::Not": not truths[0], "Fn::And": all(truths), "Fn::Or": any(truths)}[function]
