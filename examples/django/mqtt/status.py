import json
from http.client import HTTPException
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.conf import settings

from .tokens import mqtt_token


def read_connections(user, ids):
    """The rows of mqtt-status by id. Without an answer there are none, and the page shows names only."""
    query = urlencode({"connections": ",".join(ids)})
    request = Request(
        f"{settings.MQTT_STATUS_URL}/api/v1/connections?{query}",
        headers={"Authorization": f"Bearer {mqtt_token(user)}"},
    )
    try:
        with urlopen(request, timeout=2) as response:
            rows = json.load(response)["connections"]
    except (OSError, HTTPException, ValueError):
        return {}
    return {row["id"]: row for row in rows}
