"""One running Home Assistant: its process, its owner's account and its token."""

import json
from pathlib import Path
import subprocess
import sys
import time
from typing import Any, Self

from .api import Api, ApiError
from .child import Child
from .layout import VOICE_STANDINS, Layout, write_standins

RESTART_STATUS = 100  # homeassistant.const.RESTART_EXIT_CODE: a person pressed "Restart"


class StartError(Exception):
    """Home Assistant did not start, or did not stay."""


class HomeAssistant:
    """A Home Assistant in a directory of its own; a directory that was used before is taken up again.

    Parameters
    ----------
    directory
        Its configuration directory.
    layout
        What to write there.
    python
        The interpreter whose environment has Home Assistant; default this one.
    user, password
        The owner's account.
    """

    def __init__(
        self,
        directory: Path,
        layout: Layout,
        *,
        python: str = sys.executable,
        user: str = "demo",
        password: str = "demo-demo",  # noqa: S107 - printed for everyone: it guards nothing but a demo on 127.0.0.1
    ) -> None:
        self.directory = directory.resolve()
        self.layout = layout
        self.user = user
        self.password = password
        self.url = f"http://127.0.0.1:{layout.port}"
        self.api = Api(self.url)
        self.onboarded_now = False
        self._python = python
        self._login: dict[str, Any] = {}
        self._child: Child | None = None

    @property
    def log(self) -> str:
        """What this start of Home Assistant has logged."""
        return self._child.output if self._child else ""

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._child is not None and self._child.returncode is None

    @property
    def wants_restart(self) -> bool:
        """Whether it ended because a person asked for a restart in its frontend."""
        return self._child is not None and self._child.returncode == RESTART_STATUS

    def start(self, timeout: float = 180) -> None:
        """Write the layout, start, onboard if the directory is new, and wait until Home Assistant says RUNNING.

        Raises
        ------
        StartError
            It ended, or was not ready within `timeout` [s].
        """
        end = time.monotonic() + timeout
        self.layout.write(self.directory)
        standins = self.directory / "standins"
        write_standins(standins, self._missing_voice_modules())
        temporary = self.directory / "tmp"  # else two at once take each other's uploaded files away
        temporary.mkdir(exist_ok=True)
        self._child = Child(
            [self._python, "-m", "homeassistant", "-c", str(self.directory), "--skip-pip", "--log-no-color"],
            self.directory / "hass.log",
            env={"PYTHONPATH": str(standins), "TMPDIR": str(temporary)},
            cwd=self.directory,  # `-m` looks there first
        )
        try:
            self._wait(lambda: self.api.get("/manifest.json"), end)
            self._ensure_token()
            self._wait(self._check_running, end)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it and wait until it is gone; its database is closed properly."""
        if self._child:
            self._child.stop()

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._child:
            self._child.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def browser_storage(self, language: str | None = None, *, dark: bool = False) -> dict[str, str]:
        """Return the frontend's localStorage of a person who is logged in.

        The long-lived token stands as access token, so that nothing needs to be refreshed.
        """
        login = {**self._login, "access_token": self.api.token, "expires_in": 10**8}
        login["expires"] = int(time.time() * 1000) + 10**11
        return {
            "hassTokens": json.dumps(login),
            "selectedLanguage": json.dumps(language or self.layout.language),
            "selectedTheme": json.dumps({"dark": dark}),
            "dockedSidebar": '"auto"',
        }

    def _check_running(self) -> None:
        if (state := self.api.get("/api/config")["state"]) != "RUNNING":
            raise ApiError(f"its state is {state}")

    def _wait(self, check: Any, end: float) -> None:
        while True:
            try:
                check()
            except ApiError as error:
                if not self.running:
                    raise StartError(f"Home Assistant ended at its start; see {self.directory / 'hass.log'}") from error
                if time.monotonic() > end:
                    raise StartError(f"Home Assistant was not ready in time ({error})") from error
                time.sleep(0.1)
            else:
                return

    def _missing_voice_modules(self) -> list[str]:
        program = (
            "import sys; from importlib.util import find_spec; print(*(m for m in sys.argv[1:] if not find_spec(m)))"
        )
        answer = subprocess.run(
            [self._python, "-c", program, *VOICE_STANDINS], check=True, capture_output=True, text=True
        )
        return answer.stdout.split()

    def _ensure_token(self) -> None:
        file = self.directory / "account.json"
        if file.exists():
            saved = json.loads(file.read_text(encoding="utf-8"))
            self.api.token, self._login = saved["token"], saved["login"]
            self._login.update(hassUrl=self.url, clientId=f"{self.url}/")
            return
        self._onboard()
        file.touch(mode=0o600)
        file.write_text(json.dumps({"token": self.api.token, "login": self._login}), encoding="utf-8")

    def _onboard(self) -> None:
        client = f"{self.url}/"
        account = {"client_id": client, "name": "Demo", "username": self.user, "password": self.password}
        code = self.api.post("/api/onboarding/users", {**account, "language": self.layout.language})["auth_code"]
        grant = {"client_id": client, "grant_type": "authorization_code", "code": code}
        self._login = self.api.request("POST", "/auth/token", data=grant)
        self._login.update(hassUrl=self.url, clientId=client)
        self.api.token = self._login["access_token"]
        self.api.token = self.api.websocket("auth/long_lived_access_token", client_name="Demo", lifespan=3650)
        self.onboarded_now = True
