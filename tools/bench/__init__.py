"""Benchmarks: our code side by side with its peers, in one run, on the same input."""
