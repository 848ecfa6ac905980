#!/usr/bin/env python3
"""Checks contracts/: every schema is one, every example fits its own, and broken records fit none.

Needs the Python package `jsonschema`. Run from anywhere: python3 scripts/check-contracts.py
"""

import copy
import json
import pathlib
import sys

import jsonschema

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "contracts"
SCHEMAS = {path.name.removesuffix(".schema.json"): json.loads(path.read_text()) for path in FOLDER.glob("*.schema.json")}


def schema_of(example: str) -> str:
    """The longest schema name that the example's name begins with."""
    return max((name for name in SCHEMAS if example == name or example.startswith(name + "-")), key=len)


def main() -> int:
    faults, examples = [], 0
    for name, schema in SCHEMAS.items():
        jsonschema.Draft202012Validator.check_schema(schema)
    validators = {name: jsonschema.Draft202012Validator(schema) for name, schema in SCHEMAS.items()}
    seen = set()
    for path in sorted((FOLDER / "examples").glob("*.json")):
        name = schema_of(path.stem)
        seen.add(name)
        examples += 1
        record = json.loads(path.read_text())
        if "-cloudevent" in path.stem:
            record = record["data"]
        faults += [f"{path.name}: {error.json_path}: {error.message}" for error in validators[name].iter_errors(record)]
        for field in SCHEMAS[name]["required"]:
            broken = copy.deepcopy(record)
            del broken[field]
            if validators[name].is_valid(broken):
                faults.append(f"{path.name}: the schema takes it without {field}")
    faults += [f"{name}: no example" for name in SCHEMAS if name not in seen]
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(SCHEMAS)} schemas, {examples} examples, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
