"""Shopify's published Admin schema, and documents that were checked against it once."""

import gzip
import hashlib
import json
from functools import cache
from pathlib import Path

from graphql import DocumentNode, GraphQLError, GraphQLSchema, build_client_schema, parse, validate

from infra.local.shopify_schema import SCHEMA_FILE, SHA256


@cache
def admin_schema(file: Path = SCHEMA_FILE) -> GraphQLSchema:
    """The schema, unpacked once; `python -m infra.local.fetch` puts its file there."""
    packed = file.read_bytes()
    if hashlib.sha256(packed).hexdigest() != SHA256:
        raise ValueError("the schema's file is not the one that is pinned")
    introspection = json.loads(gzip.decompress(packed))
    return build_client_schema(introspection.get("data", introspection), assume_valid=True)


@cache
def checked(query: str) -> DocumentNode | tuple[GraphQLError, ...]:
    """The document, or what is wrong with it."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return (error,)
    errors = validate(admin_schema(), document)
    return tuple(errors) if errors else document
