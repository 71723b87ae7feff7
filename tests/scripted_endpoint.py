"""A server on loopback that speaks the OpenAI protocol as a test scripts it: one function a request, counted."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """A status, a body (as it stands, or as JSON) and further headers."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Served:
    """What the server was asked, and where it is."""

    address: str
    requests: list[dict[str, Any]]
    peers: set[str]


@contextmanager
def serving(script: Callable[[dict[str, Any], int], Reply]) -> Iterator[Served]:
    """A server whose answer to request number `n` (from 0) is `script(request, n)`."""
    served = Served("", [], set())
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                number = len(served.requests)
                served.requests.append(request)
                served.peers.add(self.client_address[0])
            reply = script(request, number)
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    served.address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


def completion(text: str, logprobs: Any = None) -> dict[str, Any]:
    """The body of a chat completion."""
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": text},
        "logprobs": logprobs,
    }
    return {
        "id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice],
        "usage": {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11},
    }  # fmt: skip


def chat_logprobs(mass: Mapping[str, float]) -> dict[str, Any]:
    """Log-probabilities of the first token in the chat format."""
    top = [{"token": token, "logprob": math.log(p), "bytes": None} for token, p in mass.items()]
    return {"content": [{"token": top[0]["token"], "logprob": top[0]["logprob"], "bytes": None, "top_logprobs": top}]}


def letter_of(request: dict[str, Any], label: str) -> str:
    """The letter under which a request shows a label."""
    for line in request["messages"][-1]["content"].splitlines():
        if line[1:3] == ") " and line[3:] == label:
            return line[0]
    raise AssertionError(f"{label} is not among the request's classes")


def text_of(request: dict[str, Any]) -> str:
    """The text that a request asks about."""
    return str(request["messages"][-1]["content"]).split("Text: ", 1)[1].split("\n\nLetter:", 1)[0]
