"""What the meter announces, seen from another process in a network that has loopback only."""

import json
import subprocess
import sys

import pytest

from tools.simulator.mdns import services
from tools.simulator.profiles import PROFILES, Request

from .conftest import SAMPLES, sample

# Inside the namespace: one process is the meter, this one browses the way Home Assistant does there.
BROWSE = """
import asyncio, json, subprocess, sys
from tools.home.namespace import enter_loopback_namespace
enter_loopback_namespace()
meter = subprocess.Popen(
    [sys.executable, "-m", "tools.simulator", "--mdns", "on", *sys.argv[1:]], stdout=subprocess.PIPE, text=True)
ready = dict(part.split("=", 1) for part in meter.stdout.readline().split()[1:])

from zeroconf import InterfaceChoice, IPVersion
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

TYPES = ["_flukso._tcp.local.", "_http._tcp.local.", "_mqtt._tcp.local."]
WANTED = int(ready["rest"] != "-") * 2 + 1

async def main():
    found = {}
    network = AsyncZeroconf(interfaces=InterfaceChoice.Default, ip_version=IPVersion.V4Only)
    tasks = []
    async def resolve(kind, name):
        info = AsyncServiceInfo(kind, name)
        if await info.async_request(network.zeroconf, 30_000):
            found[name] = {
                "port": info.port, "server": info.server, "addresses": info.parsed_addresses(),
                "properties": {key.decode(): (value or b"").decode() for key, value in info.properties.items()},
            }
    def seen(zeroconf, service_type, name, state_change):
        if state_change.name == "Added":
            tasks.append(asyncio.ensure_future(resolve(service_type, name)))
        if state_change.name == "Removed":
            found.pop(name, None)
    browser = AsyncServiceBrowser(network.zeroconf, TYPES, handlers=[seen])
    async with asyncio.timeout(120):
        while len(found) < WANTED:
            await asyncio.sleep(0.05)
        print(json.dumps({"ready": ready, "found": found}))
        meter.terminate()
        while found:
            await asyncio.sleep(0.05)
    await browser.async_cancel()
    await network.async_close()
asyncio.run(main())
sys.exit(meter.wait())
"""


def browse(*arguments):
    run = subprocess.run(
        [sys.executable, "-c", BROWSE, "--port", "0", "--rest-port", "0", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    if "allows no network namespace" in run.stderr:
        pytest.skip("this machine allows no network namespace")
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    return told["ready"], told["found"]


def test_flm02_is_found_with_its_sensors_and_says_goodbye():
    ready, found = browse("--profile", "flm02_single_phase_pv")
    hostname = ready["hostname"]
    recorded = {record["name"]: record for record in sample("flm02_single_phase_pv")["mdns"]}
    assert set(found) == {
        f"Flukso RESTful API on {hostname}._flukso._tcp.local.",
        f"Web Server on {hostname}._http._tcp.local.",
        f"MQTT Broker on {hostname}._mqtt._tcp.local.",
    }
    api = found[f"Flukso RESTful API on {hostname}._flukso._tcp.local."]
    assert api["properties"] == recorded[f"Flukso RESTful API on {hostname}"]["properties"]
    assert api["server"] == f"{hostname}.local."
    assert api["addresses"] == ["127.0.0.1"]
    assert f"127.0.0.1:{api['port']}" == ready["rest"]
    broker = found[f"MQTT Broker on {hostname}._mqtt._tcp.local."]
    assert f"127.0.0.1:{broker['port']}" == ready["mqtt"]


def test_flm03_is_found_by_its_broker():
    ready, found = browse("--profile", "household")
    assert set(found) == {f"MQTT Broker on {ready['hostname']}._mqtt._tcp.local."}


@pytest.mark.parametrize("name", SAMPLES)
def test_records_are_those_of_the_sample(name):
    """All but the websocket port, which the simulator does not open."""
    config = PROFILES[name].make(name, Request()).config
    told = {
        (info.type, info.name.removesuffix(f".{info.type}"), info.server, info.port): info.decoded_properties
        for info in services(config, "127.0.0.1", 1883, None if config.is_flm03 else 8080)
    }
    assert told == {
        (record["type"], record["name"], record["hostname"], record["port"]): record["properties"]
        for record in sample(name)["mdns"]
        if record["type"] != "_ws._tcp.local."
    }


def test_rest_service_disappears_with_the_lan_branch():
    config = PROFILES["single-phase"].make("single-phase", Request()).config
    config.switch_branch("lan", on=False)
    assert [info.type for info in services(config, "127.0.0.1", 1883, 8080)] == [
        "_http._tcp.local.",
        "_mqtt._tcp.local.",
    ]
