"""Schemathesis against the deployed HTTP API on the local stack: `make attack`."""
