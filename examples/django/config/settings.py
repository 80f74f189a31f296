"""Settings of the portal. The environment has what differs between machines."""

import os
from urllib.parse import unquote, urlsplit

DEBUG = os.environ.get("DEBUG") == "1"
SECRET_KEY = "only for development" if DEBUG else os.environ["SECRET_KEY"]
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")

# The address of mqtt-status for browsers and for this server, and the secret that both servers share.
MQTT_STATUS_URL = os.environ.get("MQTT_STATUS_URL", "http://127.0.0.1:8001")
AUTH_JWT_SECRET = os.environ["AUTH_JWT_SECRET"]

database = urlsplit(os.environ["DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": database.hostname or "",
        "PORT": database.port or "",
        "NAME": unquote(database.path[1:]),
        "USER": unquote(database.username or ""),
        "PASSWORD": unquote(database.password or ""),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "mqtt",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
if DEBUG:
    # Signs in the user whom REMOTE_USER names. "start" sets it, so that the example needs no password.
    MIDDLEWARE.append("django.contrib.auth.middleware.PersistentRemoteUserMiddleware")
    AUTHENTICATION_BACKENDS.append("django.contrib.auth.backends.RemoteUserBackend")
LOGIN_URL = "admin:login"
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "mqtt.context_processors.mqtt_status",
            ]
        },
    }
]
STATIC_URL = "/static/"
USE_TZ = True
TIME_ZONE = "UTC"
