"""Count things in CloudWatch by printing them (embedded metric format). For the webhooks, where Powertools' metrics
would take as long to import as all the rest; every other function uses Powertools.
"""

import json
import os
import sys
import time


def count(metric: str, **dimensions: str) -> None:
    """Add one to a metric. Dimensions must come from a small fixed set: each combination is billed."""
    json.dump(
        {
            "_aws": {
                "Timestamp": int(time.time() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Storebridge"),
                        "Dimensions": [sorted(dimensions)],
                        "Metrics": [{"Name": metric, "Unit": "Count"}],
                    }
                ],
            },
            metric: 1,
            **dimensions,
        },
        sys.stdout,
    )
    sys.stdout.write("\n")
