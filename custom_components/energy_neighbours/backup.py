"""Home Assistant's backup gets a whole copy of the ledger.

A backup copies the files of the configuration folder one after the other, while all goes on. It takes `*.db` and
`*.db-wal`, which would belong to two moments. So everything is brought into the one file before, and what is measured
until the end of the backup is kept in memory.
"""

from homeassistant.core import HomeAssistant

from .shared_ledger import SHARED_LEDGER


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Let the ledger rest, whole in its one file."""
    if ledger := hass.data.get(SHARED_LEDGER):
        await ledger.async_hold()


async def async_post_backup(hass: HomeAssistant) -> None:
    """Let the ledger go on, first with what came meanwhile."""
    if ledger := hass.data.get(SHARED_LEDGER):
        await ledger.async_release()
