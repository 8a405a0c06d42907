"""Python's http.client against the gateway: client.py HOST PORT [CAFILE]. Prints what it saw as one JSON object."""

import hashlib
import http.client
import json
import ssl
import sys

host, port = sys.argv[1], int(sys.argv[2])
context = ssl.create_default_context(cafile=sys.argv[3]) if len(sys.argv) > 3 else None


def connection():
    if context is None:
        return http.client.HTTPConnection(host, port, timeout=10)
    return http.client.HTTPSConnection(host, port, timeout=10, context=context)


def sha(data):
    return hashlib.sha256(data).hexdigest()


seen = {}

# One connection for all of these. http.client does not read past an answer's end: whatever is wrong there shows in the
# next one.
kept = connection()
kept.connect()
socket = kept.sock


def ask(method, path, body=None, headers={}, **more):
    kept.request(method, path, body=body, headers=headers, **more)
    response = kept.getresponse()
    data = response.read()
    assert kept.sock is socket, f"{method} {path}: the connection was not kept"
    return response, data


seen["file"] = sha(ask("GET", "/file")[1])
seen["chunked"] = sha(ask("GET", "/chunked")[1])
response, data = ask("HEAD", "/file")
seen["head"] = [response.status, response.getheader("content-length"), len(data)]
response, data = ask("GET", "/file", headers={"Range": "bytes=10-19"})
seen["range"] = [response.status, response.getheader("content-range"), sha(data)]
seen["fresh"] = ask("GET", "/file", headers={"If-None-Match": '"file-1"'})[0].status
seen["posted"] = json.loads(ask("POST", "/echo", body=b"a=1&b=2")[1])["body"]
# The head in one write, the body in another.
pieces = (b"x" * size for size in (1, 2, 65536, 100_000))
seen["pieces"] = len(
    json.loads(ask("PUT", "/echo", body=pieces, headers={"Transfer-Encoding": "chunked"}, encode_chunked=True)[1])["body"]
)
seen["latin1"] = json.loads(ask("GET", "/echo", headers={"X-Name": "gr\xfcn"})[1])["headers"]["x-name"]
kept.close()

# Its own first version, which it speaks as the standard of that time says.
old = connection()
old._http_vsn, old._http_vsn_str = 10, "HTTP/1.0"
old.request("GET", "/chunked")
response = old.getresponse()
seen["old"] = [sha(response.read()), response.getheader("transfer-encoding")]

# A large body, read in small pieces.
large = connection()
large.request("GET", "/pattern?size=8388608")
response = large.getresponse()
digest = hashlib.sha256()
while piece := response.read(10_000):
    digest.update(piece)
seen["large"] = digest.hexdigest()

print(json.dumps(seen))
