from django.conf import settings


def mqtt_status(request):
    return {"mqtt_status_url": settings.MQTT_STATUS_URL}
