"""The demo: a simulated meter, a real Home Assistant, and a dashboard that shows what the meter measures."""
