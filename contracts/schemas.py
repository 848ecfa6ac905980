"""The schemas of this folder, and how strictly our own output is held to them."""

import json
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent
SCHEMAS = {path.name.removesuffix(".schema.json"): json.loads(path.read_text()) for path in FOLDER.glob("*.schema.json")}


def closed(schema):
    """The schema of an output without room for fields that it does not describe.

    Readers must ignore unknown fields, so the published schemas leave room. We may not publish undescribed ones.
    """
    if isinstance(schema, list):
        return [closed(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(entry) for key, entry in schema.items()}
    if isinstance(result.get("properties"), dict) and result.get("type") in ("object", ["object", "null"]):
        result.setdefault("additionalProperties", False)
    return result
