"""Count things in CloudWatch by printing them (embedded metric format). For the webhooks, where Powertools' metrics
would take as long to import as all the rest; every other function uses Powertools.
"""

import json
import os
import sys
import time


def count(metric: str, **beside: str) -> None:
    """Add one to a metric of this function. `beside`: what the log line tells with it, `observability.BESIDE`."""
    json.dump(
        {
            "_aws": {
                "Timestamp": int(time.time() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Storebridge"),
                        "Dimensions": [["service"]],
                        "Metrics": [{"Name": metric, "Unit": "Count"}],
                    }
                ],
            },
            metric: 1,
            "service": os.environ.get("POWERTOOLS_SERVICE_NAME", "unknown"),
            **beside,
        },
        sys.stdout,
    )
    sys.stdout.write("\n")
