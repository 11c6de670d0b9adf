"""The link to a meter, against a real broker."""

from custom_components.energy_neighbours.flukso.client import FluksoClient, LinkState
from custom_components.energy_neighbours.flukso.discovery import survey
from custom_components.energy_neighbours.flukso.models import Device, Reading

from .conftest import Background, Broker, SampleMeter, eventually


class Ears:
    """Everything that a client tells."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.devices: list[Device] = []
        self.states: list[LinkState] = []

    def client(self, broker: Broker, **options: object) -> FluksoClient:
        """Make a client that tells it all to us."""
        return FluksoClient(
            "127.0.0.1",
            broker.port,
            on_reading=self.readings.append,
            on_device=self.devices.append,
            on_state=self.states.append,
            **options,
        )


async def test_client_hears_device_and_readings(
    broker: Broker, flm03_kube: SampleMeter, background: Background
) -> None:
    await broker.publish(*flm03_kube.config)
    ears = Ears()
    client = ears.client(broker)
    background(client.run())
    await eventually(lambda: client.device)
    await broker.publish(*flm03_kube.readings)
    await eventually(lambda: len(ears.readings) == len(flm03_kube.readings))
    assert [device.did for device in ears.devices] == [flm03_kube.did]
    assert ears.states == [LinkState.ONLINE]


async def test_survey_finds_an_flm02_with_its_latest_readings(broker: Broker, flm02: SampleMeter) -> None:
    await broker.publish(*flm02.config, *flm02.readings)
    found = await survey("127.0.0.1", broker.port, settle=0.6)
    assert found.device.did == flm02.did
    assert len(found.readings) == 4
    assert found.dids == {flm02.did}
