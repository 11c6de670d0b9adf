"""What the demo says when it is ready: where to look, and what of it is real."""

from datetime import datetime

GREETING = """
  Ready: {url}
  This machine is let in by itself; elsewhere: user {user}, password {password}

  Simulated: three Fluksometers. They replay a real Belgian household, recorded in 2017, from
  {scene} on, each on other days of it.
  Recorded: what twelve homes far away used, by the hour, in 2016. They take part over the community's own broker;
  number 9 is always late, and number 11 drops out twice an hour.
  Derived, not measured: their quarter-hours, all solar production (from measured sunshine) and the sixteen weeks before
  today. Prices are an example: the Impact tariff of ORES 2026, a supplier at 13.5 cents, neighbours at 9.5 cents.
"""


def greeting(url: str, user: str, password: str, at: datetime | None) -> str:
    """Return it.

    Parameters
    ----------
    url
        Where the dashboard is.
    user, password
        Of the demo's user.
    at
        The moment of the record with which it began; None if it is that of now.
    """
    scene = f"{at:%A %-d %B %Y, %H:%M}" if at else "this weekday and time of day"
    return GREETING.format(url=url, user=user, password=password, scene=scene)
