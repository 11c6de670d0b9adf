"""The domain: pure functions and frozen dataclasses (no Home Assistant, no input or output, no clock)."""
