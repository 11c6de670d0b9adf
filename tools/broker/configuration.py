"""The texts that Mosquitto reads: its configuration and the access control list."""

ROOT = "energy-neighbours/v1"
ORGANISER = "organiser"
"""The organiser's user name, which therefore no member has as its code."""
FROM_ORGANISER_TO_ALL = ("charter", "community", "signals/+")
FROM_ORGANISER_TO_MEMBER = ("request", "share", "share_now")
FROM_MEMBER = ("reading", "live", "consent", "response")

PAYLOAD_BYTES = 64 * 1024
# Topic, packet identifier and MQTT 5 properties around the largest payload.
PACKET_BYTES = PAYLOAD_BYTES + 1024


def mosquitto_conf(community: str, port: int, bind: str | None = None) -> str:
    """Return the configuration, for Mosquitto 2."""
    return f"""\
# The broker of community {community}. Start Mosquitto inside this folder: the file names are relative to it.
# Written by scripts/broker.

# TLS only, at {bind or "every address of the machine"}; no port without it, no websockets.
listener {port}{f" {bind}" if bind else ""}
certfile server.pem
keyfile server.key
# Nobody takes over another's session, whatever client id a program gives itself.
use_username_as_clientid true

allow_anonymous false
password_file passwords
acl_file acl

# A message has at most 64 KiB. A larger one is dropped; who sends a much larger one is disconnected.
message_size_limit {PAYLOAD_BYTES}
max_packet_size {PACKET_BYTES}

# What waits for a client that is away. What does not fit, the organiser asks its members for again.
max_inflight_messages 20
max_queued_messages 10000
max_queued_bytes 67108864
persistent_client_expiration 1m

# The charter, the shares and what waits outlive a restart, in the file mosquitto.db.
persistence true
autosave_interval 300

# No figures about the broker itself.
sys_interval 0
log_timestamp_format %Y-%m-%dT%H:%M:%S
"""


def acl(community: str) -> str:
    """Return the access control list; a member's user name is its code."""
    root = f"{ROOT}/{community}"
    organiser = [f"topic write {root}/{topic}" for topic in FROM_ORGANISER_TO_ALL]
    organiser += [f"topic read {root}/members/+/{topic}" for topic in FROM_MEMBER]
    organiser += [f"topic write {root}/members/+/{topic}" for topic in FROM_ORGANISER_TO_MEMBER]
    member = [f"pattern write {root}/members/%u/{topic}" for topic in FROM_MEMBER]
    member += [f"pattern read {root}/members/%u/{topic}" for topic in FROM_ORGANISER_TO_MEMBER]
    everybody = [f"pattern read {root}/{topic}" for topic in FROM_ORGANISER_TO_ALL]
    return "\n".join(
        [
            f"# Who may read and write what in community {community}. Written by scripts/broker.",
            "# What is not listed is forbidden.",
            "",
            f"user {ORGANISER}",
            *organiser,
            "",
            "# A member, with its code as user name (%u): only under its own code.",
            *member,
            "",
            "# All members. Mosquitto warns that there is no %u in these lines: that is meant so.",
            *everybody,
            "",
        ]
    )
