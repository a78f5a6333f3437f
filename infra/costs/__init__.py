"""What it costs to run: real handlers run an order's whole way in one process, every billed thing is counted, and the
page `infra/docs/costs.md` is written from the counts (`make costs`)."""
