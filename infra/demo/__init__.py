"""`make demo`: a day at two shops that share one stock pool, then their back office; played, and checked."""
