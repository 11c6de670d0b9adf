"""Programs behind the commands in `scripts/`: simulator, demo, benchmarks."""
