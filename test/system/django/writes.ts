/** Every way in which a Django project writes rows, as Python. Each stands for itself, and runs in the order of this list. */

export const PREAMBLE = `
import random, threading, time
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Concat
from django.test import Client
from mqtt.models import MqttConnection, Site

Status = MqttConnection.Status
objects = MqttConnection.objects
admin = Client(REMOTE_USER="operator", HTTP_HOST="127.0.0.1")

def sql(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)

def post(path, **fields):
    response = admin.post("/admin/mqtt/mqttconnection/" + path, fields)
    assert response.status_code == 302, response.content
`

export const WRITES: readonly (readonly [name: string, program: string])[] = [
  ['save', 'plant = objects.get(pk=1); plant.status = Status.ERROR; plant.save()'],
  [
    'save of some fields',
    'plant.status = Status.CONNECTED; plant.save(update_fields=["status", "name"])',
  ],
  ['create', 'new = objects.create(site_id=2, name="Fattoria \\"Ü\\" 100 % è", status="pending")'],
  [
    'update_or_create',
    'objects.update_or_create(pk=new.pk, defaults={"enabled": False, "status": "error"})',
  ],
  ['a form of the admin', 'post("1/change/", site=2, name="Impianto 7 bis", enabled="on")'],
  ['a new row of the admin', 'post("add/", site=3, name="Truro Clay")'],
  [
    'an action of the admin',
    'post("", action="delete_selected", post="yes", _selected_action=[objects.latest("pk").pk])',
  ],
  [
    'bulk_create',
    'objects.bulk_create([MqttConnection(site_id=1 + i % 3, name=f"Plant {i}") for i in range(100)])',
  ],
  [
    'bulk_create beside rows that are there',
    'objects.bulk_create([MqttConnection(pk=pk, site_id=1, name="Twice") for pk in (1, 2, 5000)], ignore_conflicts=True)',
  ],
  ['queryset.update', 'objects.filter(pk__gt=50).update(status=Status.PENDING)'],
  [
    'queryset.update by expressions',
    `objects.update(
    name=Concat(F("name"), Value("!")),
    status=Case(When(site_id=1, then=Value("connected")), When(site_id=2, then=Value("error")), default=F("status")),
)`,
  ],
  [
    'bulk_update',
    `many = list(objects.filter(pk__lt=80))
for each in many:
    each.site_id = 3
objects.bulk_update(many, ["site"])`,
  ],
  [
    'select_for_update',
    `with transaction.atomic():
    locked = objects.select_for_update().get(pk=2)
    locked.enabled = not locked.enabled
    locked.name += " (locked)"
    locked.save()`,
  ],
  [
    'a transaction that is rolled back',
    `try:
    with transaction.atomic():
        objects.update(status=Status.ERROR)
        objects.create(pk=1, site_id=1, name="Duplicate")
except IntegrityError:
    pass`,
  ],
  [
    'savepoints, of which some are rolled back',
    `with transaction.atomic():
    for pk in range(4, 60):
        try:
            with transaction.atomic():
                objects.filter(pk=pk).update(name=f"Savepoint {pk}")
                if pk % 3 == 0:
                    raise ValueError
        except ValueError:
            pass`,
  ],
  [
    'raw SQL',
    'sql("update mqtt_mqttconnection set status = %s where id %% 2 = 0", "disconnected")',
  ],
  [
    'raw SQL that changes keys',
    'sql("update mqtt_mqttconnection set id = id + 9000 where id < 50")',
  ],
  [
    'raw SQL that passes a key on',
    'sql("delete from mqtt_mqttconnection where id = 60"); sql("update mqtt_mqttconnection set id = 60 where id = 61")',
  ],
  ['queryset.delete', 'objects.filter(pk__gt=9020).delete()'],
  ['a delete that cascades', 'Site.objects.get(pk=3).delete()'],
  ['flush, which truncates', 'call_command("flush", interactive=False, verbosity=0)'],
  ['loaddata', 'call_command("loaddata", "demo", verbosity=0)'],
]

/** Writers in threads, until they are stopped; a session that ends is replaced, and its transaction made again. */
export const STORM = `
class Storm:
    def __init__(self, seed, writers):
        self.over = False
        self.committed = 0
        self.broken = 0
        self.threads = [threading.Thread(target=self.write, args=(seed + i,), daemon=True) for i in range(writers)]
        for thread in self.threads:
            thread.start()

    def write(self, seed):
        pick = random.Random(seed)
        while not self.over:
            try:
                with transaction.atomic():
                    for _ in range(pick.randrange(1, 4)):
                        self.change(pick)
                self.committed += 1
            except (OperationalError, InterfaceError):
                self.broken += 1
                connection.close()
            time.sleep(0.1 + pick.random() * 0.4)
        connection.close()

    def change(self, pick):
        pk = pick.randrange(1, 60)
        kind = pick.random()
        if kind < 0.2:
            row = MqttConnection(pk=pk, site_id=pick.randrange(1, 4), name=f"Storm {pk}")
            objects.bulk_create([row], ignore_conflicts=True)
        elif kind < 0.7:
            objects.filter(pk=pk).update(status=pick.choice(Status.values), enabled=pick.random() < 0.5)
        elif kind < 0.85:
            objects.filter(pk__in=range(pk, pk + 10)).update(site_id=pick.randrange(1, 4))
        else:
            objects.filter(pk=pk).delete()

    def end(self):
        self.over = True
        for thread in self.threads:
            thread.join()
`
