from django.conf import settings
from django.db import models


class Site(models.Model):
    name = models.CharField(max_length=100)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="sites", blank=True)

    def __str__(self):
        return self.name


class MqttConnection(models.Model):
    class Status(models.TextChoices):
        CONNECTED = "connected"
        PENDING = "pending"
        ERROR = "error"
        DISCONNECTED = "disconnected"

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="connections")
    name = models.CharField(max_length=100)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.DISCONNECTED)
    enabled = models.BooleanField(default=True, help_text="The worker keeps it connected.")

    class Meta:
        ordering = ["pk"]
        verbose_name = "MQTT connection"

    def __str__(self):
        return self.name

    @property
    def connection_id(self):
        """The id at mqtt-status: the prefix of "attach", and the primary key."""
        return f"django-{self.pk}"
