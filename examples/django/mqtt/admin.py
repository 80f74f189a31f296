from django.contrib import admin

from .models import MqttConnection, Site


@admin.register(MqttConnection)
class MqttConnectionAdmin(admin.ModelAdmin):
    list_display = ["name", "site", "status", "enabled"]
    list_filter = ["status", "site"]
    # The worker writes it.
    readonly_fields = ["status"]


@admin.register(Site)
class SiteAdmin(admin.ModelAdmin):
    filter_horizontal = ["members"]
