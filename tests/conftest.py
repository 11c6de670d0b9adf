"""What holds for all tests."""

import logging

from hypothesis import HealthCheck, settings

# How long an example takes, or its making, tells of the machine and of who else uses it, not of us.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# The harness has every statement of every database written down: with a recorder, that is a fifth of a test's work.
for _chatty in ("sqlalchemy.engine", "sqlalchemy.pool", "homeassistant.components.recorder"):
    logging.getLogger(_chatty).setLevel(logging.WARNING)
