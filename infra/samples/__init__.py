"""Made-up payloads in the vendors' own shapes, signed as they sign: for the demo, the benchmarks and the tests."""
