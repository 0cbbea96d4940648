"""Lists the scenarios as JSON (`--list`), or runs one: `scenarios.py MODULE FUNCTION BOOTSTRAP NAME`."""

import importlib
import json
import sys

import harness

MODULES = ["records", "groups", "administration", "restarts"]

if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        for module in MODULES:
            importlib.import_module(module)
        print(json.dumps(harness.SCENARIOS))
    else:
        module, function, bootstrap, name = sys.argv[1:]
        getattr(importlib.import_module(module), function)(harness.Context(bootstrap, name))
