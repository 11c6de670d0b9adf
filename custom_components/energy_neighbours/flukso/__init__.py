"""The Fluksometer's protocol: discovery, messages, configuration and a client (nothing of Home Assistant in here)."""
