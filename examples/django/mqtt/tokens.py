import time

import jwt
from django.conf import settings

LIFETIME_S = 600


def mqtt_token(user):
    """What the page's client sends to mqtt-status: who the visitor is, and which sites this visitor may see."""
    claims = {
        "sub": user.get_username(),
        "sites": [str(pk) for pk in user.sites.values_list("pk", flat=True)],
        "scope": "view control" if user.is_staff else "view",
        "exp": int(time.time()) + LIFETIME_S,
    }
    return jwt.encode(claims, settings.AUTH_JWT_SECRET, algorithm="HS256")
