"""What a run says over HTTP, and to whom."""

from __future__ import annotations

import re
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flowquake.cli.exposition import exposition
from flowquake.cli.serving import MetricsServer
from flowquake.engine.job import Load, PECounts
from flowquake.errors import UsageError
from flowquake.running import Progress

if TYPE_CHECKING:
    from tests.cli.conftest import Flowquake

SAMPLE = re.compile(
    r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.e+-]+)'
)

PROGRESS = Progress(
    counts={
        "read": PECounts(emitted={"events": 9}),
        "pick": PECounts(received=9, emitted={"picks": 4, "odd": 1}, rejected=2, counters={"a": 3}),
    },
    fractions={},
    seconds=2.5,
    loads={"read": Load(busy=0.25), "pick": Load(busy=2.0, queue=3, waited=1.5, crossed=9)},
    instances={"read": 1, "pick": 2},
)


def samples(text: str) -> dict[str, float]:
    """Read the text format, strictly; a name must have its type before it."""
    found: dict[str, float] = {}
    typed: set[str] = set()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            assert kind in ("counter", "gauge", "summary")
            assert name not in typed
            typed.add(name)
        elif not line.startswith("# HELP "):
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert {match[1], re.sub("_(sum|count)$", "", match[1])} & typed
            key = match[1] + (match[2] or "")
            assert key not in found
            found[key] = float(match[3])
    return found


@contextmanager
def serving(address: str = "127.0.0.1:0", token: Path | None = None) -> Iterator[MetricsServer]:
    server = MetricsServer(address, token)
    server.start({"run": "r1"})
    try:
        yield server
    finally:
        server.stop()


def get(url: str, token: str | None = None) -> tuple[int, str, str]:
    request = urllib.request.Request(url)
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def test_the_text_holds_every_figure_of_every_element() -> None:
    assert samples(exposition(PROGRESS, {"run": "r1"})) == {
        'flowquake_run_info{run="r1"}': 1,
        "flowquake_run_seconds": 2.5,
        'flowquake_items_received_total{pe="read"}': 0,
        'flowquake_items_received_total{pe="pick"}': 9,
        'flowquake_items_emitted_total{pe="read",port="events"}': 9,
        'flowquake_items_emitted_total{pe="pick",port="picks"}': 4,
        'flowquake_items_emitted_total{pe="pick",port="odd"}': 1,
        'flowquake_items_rejected_total{pe="read"}': 0,
        'flowquake_items_rejected_total{pe="pick"}': 2,
        'flowquake_counted_total{pe="pick",name="a"}': 3,
        'flowquake_busy_seconds_total{pe="read"}': 0.25,
        'flowquake_busy_seconds_total{pe="pick"}': 2.0,
        'flowquake_queue_items{pe="read"}': 0,
        'flowquake_queue_items{pe="pick"}': 3,
        'flowquake_latency_seconds_sum{pe="read"}': 0,
        'flowquake_latency_seconds_count{pe="read"}': 0,
        'flowquake_latency_seconds_sum{pe="pick"}': 1.5,
        'flowquake_latency_seconds_count{pe="pick"}': 9,
        'flowquake_instances{pe="read"}': 1,
        'flowquake_instances{pe="pick"}': 2,
    }


def test_a_label_of_any_characters_can_be_read() -> None:
    assert list(samples(exposition(None, {"run": 'a\\b"c\nd\udc80'}))) == [
        'flowquake_run_info{run="a\\\\b\\"c\\nd?"}'
    ]


def test_a_run_is_ready_when_it_goes_on() -> None:
    with serving() as server:
        assert get(f"{server.url}/healthz")[0] == 200
        assert get(f"{server.url}/readyz")[0] == 503
        server.publish(PROGRESS)
        assert get(f"{server.url}/readyz")[0] == 200
        status, kind, text = get(f"{server.url}/metrics")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert samples(text)['flowquake_items_received_total{pe="pick"}'] == 9
        assert get(f"{server.url}/etc/passwd")[0] == 404


def test_with_a_token_nobody_is_answered_without_it(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    with serving("127.0.0.1:0", file) as server:
        for path in ("metrics", "healthz", "readyz"):
            assert get(f"{server.url}/{path}")[0] == 401
            assert get(f"{server.url}/{path}", "s3cre")[0] == 401
        assert get(f"{server.url}/metrics", "\u00e9")[0] == 401
        assert get(f"{server.url}/metrics", "s3cret")[0] == 200


@pytest.mark.parametrize("address", ["0.0.0.0:0", ":0", "[::]:0"])
def test_beyond_loopback_a_token_is_needed(address: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a token"):
        MetricsServer(address)
    file = tmp_path / "token"
    file.write_text("s3cret")
    if address != "[::]:0":
        with serving(address, file) as server:
            assert server.url.startswith("http://0.0.0.0:")


@pytest.mark.parametrize(
    "address",
    ["", "9100", "localhost", "localhost:", "a:b", "::1:80", "h:65536", "h:-1", "h:\u0661"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="not HOST:PORT"):
        MetricsServer(address)


@pytest.mark.parametrize("content", [b"", b" \n", b"two words", b"caf\xc3\xa9"])
def test_what_is_no_token_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="one word"):
        MetricsServer("127.0.0.1:0", file)


def test_a_wrong_address_is_an_error_before_the_run(flowquake: Flowquake, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for given in (
            ["--serve", f"127.0.0.1:{port}"],
            ["--serve", "0.0.0.0:0"],
            ["--serve", "127.0.0.1:0", "--token-file", "none"],
            ["--token-file", "none"],
        ):
            result = flowquake("run", "toy.py", *given)
            assert (result.code, "UsageError" in result.err) == (2, True)
    assert not (folder / "runs").exists()


def test_a_run_says_where_it_serves_and_leaves_no_thread(flowquake: Flowquake) -> None:
    before = threading.active_count()
    result = flowquake("run", "toy.py", "--serve", "127.0.0.1:0", "-q")
    assert result.code == 0
    assert re.search(r"metrics at http://127\.0\.0\.1:\d+/metrics", result.err)
    assert threading.active_count() == before


def test_a_client_that_says_nothing_holds_up_nobody() -> None:
    with serving() as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))):
            assert get(f"{server.url}/healthz")[0] == 200
