from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from .models import MqttConnection
from .status import read_connections
from .tokens import LIFETIME_S, mqtt_token


def connections_of(user):
    return MqttConnection.objects.filter(site__members=user)


@login_required
@never_cache
def index(request):
    connections = connections_of(request.user)
    rows = read_connections(request.user, [each.connection_id for each in connections])
    cards = [(each, rows.get(each.connection_id)) for each in connections]
    return render(request, "mqtt/index.html", {"cards": cards})


def about(request):
    return render(request, "mqtt/about.html")


@login_required
def connections(request):
    """The portal's own rows, for its other programs."""
    fields = ["id", "site_id", "name", "status", "enabled"]
    return JsonResponse({"connections": list(connections_of(request.user).values(*fields))})


@never_cache
def token(request):
    # Not login_required, which redirects to a page: the client expects a token or 401.
    if not request.user.is_authenticated:
        return JsonResponse({"error": "sign in"}, status=401)
    return JsonResponse({"token": mqtt_token(request.user), "expiresIn": LIFETIME_S})
