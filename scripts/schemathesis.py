"""Authenticates the requests of scripts/schemathesis: each has a session of its own, so that a logout
affects no other request. Operations that would lock out the account use a new account each time."""

import uuid

import requests
import schemathesis

PASSWORD = "correct horse battery"
LASTING = {("post", "/api/me/password"), ("delete", "/api/me")}
registered = set()


def post(base, path, body):
    return requests.post(f"{base}/api/auth/{path}", json=body, timeout=10)


@schemathesis.auth(refresh_interval=None)
class Session:
    def get(self, case, context):
        base = case.operation.schema.get_base_url().rstrip("/").removesuffix("/api")
        lasting = (case.operation.method.lower(), case.operation.path) in LASTING
        name = f"schemathesis-{uuid.uuid4().hex[:12]}" if lasting else "schemathesis"
        person = {"username": name, "password": PASSWORD}
        if (base, name) not in registered:
            post(base, "register", person)
            registered.add((base, name))
        return post(base, "login", person).json()

    def set(self, case, data, context):
        schemes = [name for one in case.operation.definition.raw.get("security", []) for name in one]
        if schemes:
            case.headers["Authorization"] = f"Bearer {data[schemes[0]]}"
