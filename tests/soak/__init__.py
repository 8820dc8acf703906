"""Long proofs that nothing is lost and nothing grows: `make soak`. The test suite runs a short form of each."""
