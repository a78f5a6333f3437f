"""`make demo`: a day at two shops that share one stock pool, their back office, a month's money: played and checked."""
