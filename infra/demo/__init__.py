"""`make demo`: a day at two shops that share one stock pool, played on the local stack and checked."""
