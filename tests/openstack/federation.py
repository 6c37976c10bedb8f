#!/usr/bin/env python3
"""What stands around a Keystone that takes logins of another house: an OIDC issuer, and the front before Keystone.

    federation.py KEYSTONE            KEYSTONE is its address, as in env.json; prints one line of JSON with the addresses

The front does what mod_auth_openidc does in Apache: of a request to the federated login it checks the bearer token (the
signature by the issuer's keys, issuer, audience, end) and hands its claims on as OIDC-… headers, which are
Keystone's to map; such headers of the client's own are dropped. Everything else it passes through.

The issuer has a discovery document, keys, a token endpoint for the grants client_credentials and password, and /mint,
where a test gets a token as a pipeline would have it: POST with the claims as JSON.

Runs until its standard input ends. Not for anything that must be safe: the clients and users below are fixed.
"""

import http.client
import json
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

AUDIENCE = "keystone"
CLIENTS = {"ci-client": "ci-client-secret-of-the-tests", "public-client": None}
USERS = {"olga": "olga-password-of-the-tests"}
LIFE_SECONDS = 300


class Issuer(BaseHTTPRequestHandler):
    """Signs tokens with a key of its own."""

    key = ec.generate_private_key(ec.SECP256R1())
    url = None

    def do_GET(self):
        if self.path == "/.well-known/openid-configuration":
            answer(self, 200, {
                "issuer": self.url, "jwks_uri": f"{self.url}/keys", "token_endpoint": f"{self.url}/token",
                "grant_types_supported": ["client_credentials", "password"]})
        elif self.path == "/keys":
            public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
            answer(self, 200, {"keys": [public | {"kid": "1", "alg": "ES256", "use": "sig"}]})
        else:
            answer(self, 404, {"error": "not_found"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/mint":
            answer(self, 200, {"token": self.sign(json.loads(body))})
        elif self.path == "/token":
            status, reply = self.grant({k: v[0] for k, v in urllib.parse.parse_qs(body.decode()).items()})
            answer(self, status, reply)
        else:
            answer(self, 404, {"error": "not_found"})

    def grant(self, form):
        client, secret = self.client(form)
        if client not in CLIENTS or CLIENTS[client] != secret:
            return 401, {"error": "invalid_client", "error_description": f"no client {client} with this secret"}
        if "openid" not in form.get("scope", "").split():
            return 400, {"error": "invalid_scope"}
        match form.get("grant_type"):
            case "client_credentials" if secret is not None:
                subject = client
            case "password" if form.get("password") == USERS.get(form.get("username"), object()):
                subject = form["username"]
            case "password":
                return 400, {"error": "invalid_grant", "error_description": "Invalid user credentials"}
            case _:
                return 400, {"error": "unsupported_grant_type"}
        return 200, {"access_token": self.sign({"sub": subject}), "token_type": "Bearer", "expires_in": LIFE_SECONDS}

    def client(self, form):
        scheme, _, pair = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return form.get("client_id"), None
        import base64
        client, _, secret = base64.b64decode(pair).decode().partition(":")
        return client, secret

    def sign(self, claims):
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "iat": now, "exp": now + LIFE_SECONDS} | claims
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": "1"})

    def log_message(self, *_):
        pass


class Front(BaseHTTPRequestHandler):
    """Passes requests on to Keystone; to the federated login only with a token that the issuer signed."""

    protocol_version = "HTTP/1.1"
    keystone = keys = issuer = None

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {k.title(): v for k, v in self.headers.items() if not k.lower().startswith("oidc-")}
        path = self.path.split("?")[0]
        if "/OS-FEDERATION/" in path and path.endswith("/auth"):
            try:
                claims = self.claims(headers.pop("Authorization", ""))
            except jwt.PyJWTError as error:
                return answer(self, 401, f"<html><title>401 Unauthorized</title>{type(error).__name__}</html>",
                              **{"WWW-Authenticate": 'Bearer error="invalid_token"'})
            headers |= {f"OIDC-{name}": str(value) for name, value in claims.items()}
        upstream = http.client.HTTPConnection(self.keystone.netloc, timeout=60)
        upstream.request(self.command, self.path, body or None, headers)
        reply = upstream.getresponse()
        skipped = {"connection", "transfer-encoding", "content-length", "date", "server"}
        kept = {k: v for k, v in reply.getheaders() if k.lower() not in skipped}
        answer(self, reply.status, reply.read(), **kept)
        upstream.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_one

    def claims(self, authorization):
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer":
            raise jwt.InvalidTokenError("no bearer token")
        key = self.keys.get_signing_key_from_jwt(token)
        return jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=self.issuer)

    def log_message(self, *_):
        pass


def answer(handler, status, body, **headers):
    if isinstance(body, dict):
        body, headers = json.dumps(body), headers | {"Content-Type": "application/json"}
    if isinstance(body, str):
        body = body.encode()
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def serve(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def main():
    keystone = urllib.parse.urlsplit(sys.argv[1])
    Issuer.url = serve(Issuer)
    Front.keystone, Front.issuer = keystone, Issuer.url
    Front.keys = jwt.PyJWKClient(f"{Issuer.url}/keys")
    front = serve(Front) + keystone.path
    print(json.dumps({"auth_url": front, "issuer": Issuer.url, "clients": CLIENTS, "users": USERS}), flush=True)
    sys.stdin.read()


main()
