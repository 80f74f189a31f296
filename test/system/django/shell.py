"""Runs Python inside the portal: each line of the input is one program, as JSON; each is answered by its error, or null."""

import json
import os
import sys
import traceback

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
sys.path.insert(0, os.getcwd())
django.setup()

scope = {}
for line in sys.stdin:
    try:
        exec(json.loads(line), scope)
        answer = None
    except Exception:
        answer = traceback.format_exc()
    print(json.dumps(answer), flush=True)
