from unittest.mock import patch

import jwt
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import TestCase

from .management.commands.mqtt_worker import step
from .models import MqttConnection, Site


class PortalTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.anna = get_user_model().objects.create_user("anna")
        brescia = Site.objects.create(name="Brescia")
        brescia.members.add(cls.anna)
        cls.plant = MqttConnection.objects.create(site=brescia, name="Impianto 7")
        kent = Site.objects.create(name="Kent")
        MqttConnection.objects.create(site=kent, name="Ashford Farm")

    def test_a_visitor_without_a_session_gets_no_token(self):
        self.assertEqual(self.client.get("/mqtt-token").status_code, 401)

    def test_the_token_names_the_sites_of_the_visitor(self):
        self.client.force_login(self.anna)
        token = self.client.get("/mqtt-token").json()["token"]
        claims = jwt.decode(token, settings.AUTH_JWT_SECRET, algorithms=["HS256"])
        self.assertEqual(claims["sites"], [str(self.plant.site_id)])
        self.assertEqual(claims["scope"], "view")

    def test_the_page_has_the_state_before_the_script_arrives(self):
        self.client.force_login(self.anna)
        row = {"id": self.plant.connection_id, "status": "connected"}
        with patch("mqtt.views.read_connections", return_value={row["id"]: row}):
            page = self.client.get("/")
        self.assertContains(page, 'Impianto 7<span slot="before">: connected</span>')
        self.assertNotContains(page, "Ashford Farm")

    def test_without_mqtt_status_the_page_has_the_names(self):
        self.client.force_login(self.anna)
        with self.settings(MQTT_STATUS_URL="http://127.0.0.1:1"):
            self.assertContains(self.client.get("/"), "Impianto 7")

    def test_the_endpoint_lists_the_connections_of_the_visitor(self):
        self.client.force_login(self.anna)
        rows = self.client.get("/api/connections").json()["connections"]
        self.assertEqual([row["name"] for row in rows], ["Impianto 7"])

    def test_the_worker_obeys(self):
        statuses = []
        for enabled in [True, True, False]:
            MqttConnection.objects.update(enabled=enabled)
            step()
            self.plant.refresh_from_db()
            statuses.append(self.plant.status)
        self.assertEqual(statuses, ["pending", "connected", "disconnected"])
