"""Makes calls to Container Engine with the official SDK, as they are asked for on standard input.

In:  {"config": {...}, "endpoint": "http://...", "calls": [{"name": "get_cluster", "args": [...], "kwargs": {...}}]}
Out: [{"status": 200, "data": ...} or {"status": 409, "code": "...", "message": "..."}]

Details of a call are written as {"model": "StartCredentialRotationDetails", ...}. Nothing is repeated.
"""
import json
import sys

import oci
from oci.container_engine import ContainerEngineClient, models


def main():
    asked = json.load(sys.stdin)
    client = ContainerEngineClient(
        asked["config"], service_endpoint=asked["endpoint"], retry_strategy=oci.retry.NoneRetryStrategy())
    json.dump([answer(client, call) for call in asked["calls"]], sys.stdout)


def answer(client, call):
    # A retry strategy of its own makes the SDK send a retry token.
    kwargs = {name: made(value) for name, value in call.get("kwargs", {}).items()}
    try:
        response = getattr(client, call["name"])(*map(made, call.get("args", [])), **kwargs)
    except oci.exceptions.ServiceError as error:
        return {"status": error.status, "code": error.code, "message": error.message}
    data = response.data
    if hasattr(data, "content"):
        data = data.content.decode()
    return {
        "status": response.status,
        "data": oci.util.to_dict(data),
        "work_request": response.headers.get("opc-work-request-id"),
        "next_page": response.headers.get("opc-next-page"),
        "retry_after": response.headers.get("retry-after"),
    }


def made(value):
    """An object of the SDK's, where a call wants one."""
    if isinstance(value, dict) and "model" in value:
        value = dict(value)
        return getattr(models, value.pop("model"))(**value)
    return value


main()
