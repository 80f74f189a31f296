/** Migrations of a Django project that change the table of its connections, one operation each; all can be reversed. */

const OPERATIONS = {
  longer_status:
    'migrations.AlterField("mqttconnection", "status", models.CharField(max_length=40, default="disconnected"))',
  text_name: 'migrations.AlterField("mqttconnection", "name", models.TextField())',
  host: 'migrations.AddField("mqttconnection", "host", models.CharField(max_length=99, default="a"))',
  broker: 'migrations.RenameField("mqttconnection", "host", "broker")',
  index:
    'migrations.AlterField("mqttconnection", "broker", models.CharField(max_length=99, default="a", db_index=True))',
  no_broker: 'migrations.RemoveField("mqttconnection", "broker")',
  // Postgres refuses to alter a table whose triggers still have to run in the same transaction.
  written_and_altered:
    'migrations.RunPython(write, write), migrations.AddField("mqttconnection", "port", models.IntegerField(null=True))',
}

/** Name and text of each, in their order. */
export const MIGRATIONS: readonly (readonly [name: string, text: string])[] = Object.entries(
  OPERATIONS,
).map(([name, operations], index, all) => {
  const before = all[index - 1]
  return [
    numbered(index, name),
    textOf(before ? numbered(index - 1, before[0]) : '0001_initial', operations),
  ]
})

function numbered(index: number, name: string): string {
  return `000${index + 2}_${name}`
}

function textOf(before: string, operations: string): string {
  return `from django.db import migrations, models


def write(apps, schema_editor):
    apps.get_model("mqtt", "MqttConnection").objects.update(status="error")


class Migration(migrations.Migration):
    dependencies = [("mqtt", "${before}")]
    operations = [${operations}]
`
}
