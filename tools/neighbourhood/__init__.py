"""Neighbours to share with: quarter-hours of real homes and roofs, for demo, tests and benchmarks."""
