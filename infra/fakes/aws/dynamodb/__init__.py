"""DynamoDB in memory: `engine` carries out requests, `connection` leads pynamodb to it."""
