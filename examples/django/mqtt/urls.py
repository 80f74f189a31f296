from django.urls import path

from . import views

urlpatterns = [
    path("", views.index, name="index"),
    path("about", views.about, name="about"),
    path("api/connections", views.connections, name="connections"),
    path("mqtt-token", views.token, name="mqtt-token"),
]
