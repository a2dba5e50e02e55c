"""What has an app stored on the site? App properties: only the app itself reads and writes them."""

from typing import Any

from sandbox import errors
from sandbox.call import Answer, Call

MAX_KEY_CHARS = 127
MAX_VALUE_BYTES = 32768


def list_keys(made: Call) -> Answer:
    keys = [{"key": key, "self": f"{made.site.base_url}{made.path}/{key}"} for key in sorted(_own(made))]
    return Answer(body={"keys": keys})


def read(made: Call) -> Answer:
    properties, key = _own(made), _key_of(made)
    if key not in properties:
        raise errors.NotFound(f"Property with key <{key}> not found.")
    return Answer(body={"key": key, "value": properties[key]})


def write(made: Call) -> Answer:
    properties, key = _own(made), _key_of(made)
    if not made.body or len(made.body) > MAX_VALUE_BYTES:
        raise errors.BadRequest(f"The value must have 1 to {MAX_VALUE_BYTES} bytes.", reason="body")
    is_new = key not in properties
    properties[key] = made.read_json()
    if is_new:
        return Answer(status=201, body={"message": "Property created.", "statusCode": 201})
    return Answer(body={"message": "Property updated.", "statusCode": 200})


def delete(made: Call) -> Answer:
    properties, key = _own(made), _key_of(made)
    if key not in properties:
        raise errors.NotFound(f"Property with key <{key}> not found.")
    del properties[key]
    return Answer(status=204, body=None)


def _own(made: Call) -> dict[str, Any]:
    """The app's properties; a foreign app's are nobody's business, so they look as if they were not there."""
    addon_key = made.parameters["addonKey"]
    if made.caller.app is not None and made.caller.app.addon_key != addon_key:
        raise errors.NotFound(f"Add-on with key <{addon_key}> not found.")
    return made.site.app_properties.setdefault(addon_key, {})


def _key_of(made: Call) -> str:
    key: str = made.parameters["propertyKey"]
    if len(key) > MAX_KEY_CHARS:
        raise errors.BadRequest(f"The property key has more than {MAX_KEY_CHARS} characters.", reason="parameter")
    return key


HANDLERS = {
    "AddonPropertiesResource.getAddonProperties_get": list_keys,
    "AddonPropertiesResource.getAddonProperty_get": read,
    "AddonPropertiesResource.putAddonProperty_put": write,
    "AddonPropertiesResource.deleteAddonProperty_delete": delete,
}
