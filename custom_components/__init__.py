"""Home Assistant finds its custom integrations here."""
