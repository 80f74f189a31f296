import time

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, close_old_connections

from mqtt.models import MqttConnection

Status = MqttConnection.Status


class Command(BaseCommand):
    help = "Stands for the program that talks to the brokers: it obeys `enabled`, and writes `status`."

    def add_arguments(self, parser):
        parser.add_argument("--interval", type=float, default=1, help="seconds between two rounds")

    def handle(self, *, interval, **options):
        while True:
            try:
                step()
            except (OperationalError, InterfaceError) as error:
                # Postgres restarts: the next round uses a new session.
                self.stderr.write(f"The database is away: {error}")
                close_old_connections()
            time.sleep(interval)


def step():
    """Each connection moves one step towards what is wanted."""
    wanted = MqttConnection.objects.filter(enabled=True)
    wanted.filter(status=Status.PENDING).update(status=Status.CONNECTED)
    wanted.filter(status__in=[Status.DISCONNECTED, Status.ERROR]).update(status=Status.PENDING)
    unwanted = MqttConnection.objects.filter(enabled=False)
    unwanted.exclude(status=Status.DISCONNECTED).update(status=Status.DISCONNECTED)
