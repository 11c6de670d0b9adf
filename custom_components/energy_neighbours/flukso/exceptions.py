"""What can go wrong between us and a Fluksometer."""


class FluksoError(Exception):
    """Base of every error this package raises."""


class FluksoConnectionError(FluksoError):
    """The host does not answer: unknown name, closed port, time-out or broken link."""


class FluksoAuthError(FluksoError):
    """The broker refuses anonymous clients; a Fluksometer's own broker never does."""


class NotAFluksoError(FluksoError):
    """Something answers, but it is no Fluksometer: no MQTT, or no Flukso topic on its broker."""


class FluksoConfigError(FluksoError):
    """A Fluksometer answers, but did not publish a usable configuration in time."""


class FluksoTokenError(FluksoAuthError):
    """The cloud refuses a token: it is another sensor's, was revoked, or is no token at all."""


class FluksoNoDataError(FluksoError):
    """The cloud knows nothing of a sensor, or nothing in the time asked for."""


class FluksoCloudError(FluksoError):
    """Something answers in the place of the cloud, but not as it should."""
