"""The demo: simulated meters, a real Home Assistant, a community, and a dashboard that shows how it shares."""
