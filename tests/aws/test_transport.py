"""The transport over TLS and through proxies, and what it does at the edges of the deadline."""

import re
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from credportal.aws import bounded, client, transport
from credportal.aws import sts as portal
from credportal.aws.errors import AssumeRoleError
from credportal.domain.types import SessionSpec, Status
from tests.aws.conftest import SHORT_DEADLINE_SECONDS
from tests.fault_sts import FaultSTS
from tests.fault_sts.proxy import Proxy
from tests.fault_sts.tls import make_certificate


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls_sts(
    certificate: tuple[ssl.SSLContext, Path], point_at: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultSTS]:
    """The fault STS over TLS, with its certificate trusted the way botocore is told to."""
    context, trusted = certificate
    monkeypatch.setenv("AWS_CA_BUNDLE", str(trusted))
    with FaultSTS(tls=context) as sts:
        point_at(sts.url, deadline=5.0)
        yield sts


def test_tls_calls_share_one_connection(tls_sts: FaultSTS, spec: SessionSpec) -> None:
    for _ in range(20):
        portal.assume_role(spec)
    assert len(tls_sts.ledger.mints) == 20
    assert tls_sts.connections == 1


@pytest.mark.parametrize("fault", ["hang", "drip_body", "drip_headers", "drip_chunks"])
def test_the_deadline_holds_over_tls(
    tls_sts: FaultSTS, spec: SessionSpec, point_at: Callable[..., None], fault: str
) -> None:
    point_at(tls_sts.url, deadline=SHORT_DEADLINE_SECONDS)
    client.portal()
    tls_sts.fault(fault)
    started = time.monotonic()
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    assert time.monotonic() - started < SHORT_DEADLINE_SECONDS + 1
    assert caught.value.failure.code == "sts_timeout"


def test_the_cap_holds_over_tls(tls_sts: FaultSTS, spec: SessionSpec) -> None:
    tls_sts.fault("huge_body")
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    assert caught.value.failure.code == "sts_bad_response"


def test_a_server_that_never_shakes_hands_was_sent_nothing(
    tls_sts: FaultSTS, spec: SessionSpec, point_at: Callable[..., None]
) -> None:
    """A plain server waits for a request line, and the TLS client waits for its hello."""
    with FaultSTS() as plain:
        plain.fault("hang", action="*", count=None)
        point_at(plain.url.replace("http://", "https://"), deadline=SHORT_DEADLINE_SECONDS)
        with pytest.raises(AssumeRoleError) as caught:
            portal.assume_role(spec)
    failure = caught.value.failure
    assert (failure.code, failure.outcome, failure.may_retry) == ("sts_unreachable", Status.FAILED, False)


def test_an_untrusted_certificate_was_sent_nothing(
    certificate: tuple[ssl.SSLContext, Path], point_at: Callable[..., None], spec: SessionSpec
) -> None:
    with FaultSTS(tls=certificate[0]) as sts:
        point_at(sts.url, deadline=5.0)
        with pytest.raises(AssumeRoleError) as caught:
            portal.assume_role(spec)
        assert sts.ledger.calls == []
    failure = caught.value.failure
    assert (failure.code, failure.outcome) == ("sts_unreachable", Status.FAILED)
    assert "certificate verify failed" in failure.aws_words


def test_http_goes_through_the_proxy_of_the_environment(
    own_sts: FaultSTS, spec: SessionSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assumed = portal.assume_role(spec)
        assert proxy.forwarded == [f"{own_sts.url}/"]
    assert assumed.credentials.access_key_id == own_sts.ledger.mints[0].access_key_id


def test_https_tunnels_through_the_proxy_of_the_environment(
    tls_sts: FaultSTS, spec: SessionSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        portal.assume_role(spec)
        portal.assume_role(spec)
        assert proxy.tunnelled == [f"127.0.0.1:{tls_sts.port}"]
    assert len(tls_sts.ledger.mints) == 2


def test_the_deadline_holds_through_a_tunnel(
    tls_sts: FaultSTS, spec: SessionSpec, monkeypatch: pytest.MonkeyPatch, point_at: Callable[..., None]
) -> None:
    point_at(tls_sts.url, deadline=SHORT_DEADLINE_SECONDS)
    tls_sts.fault("drip_headers")
    with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        client.portal()
        with pytest.raises(AssumeRoleError) as caught:
            portal.assume_role(spec)
    assert caught.value.failure.code == "sts_timeout"


def test_a_proxy_that_refuses_the_tunnel_means_nothing_was_sent(
    tls_sts: FaultSTS, spec: SessionSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(refuses=True) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(AssumeRoleError) as caught:
            portal.assume_role(spec)
    failure = caught.value.failure
    assert (failure.code, failure.outcome) == ("sts_unreachable", Status.FAILED)
    assert tls_sts.ledger.calls == []


def test_no_proxy_is_heeded(own_sts: FaultSTS, spec: SessionSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        portal.assume_role(spec)
        assert proxy.forwarded == []


def test_an_exchange_gives_a_step_what_is_left_and_never_more_than_its_limit() -> None:
    exchange = bounded.Exchange(time.monotonic() + 1.0)
    assert exchange.seconds_left(0.25) == 0.25
    assert 0.9 < exchange.seconds_left(5.0) <= 1.0
    assert 0.9 < exchange.seconds_left(None) <= 1.0


def test_an_exchange_is_over_at_its_deadline() -> None:
    exchange = bounded.Exchange(time.monotonic())
    assert exchange.expired
    with pytest.raises(TimeoutError):
        exchange.seconds_left(None)


def test_an_exchange_reads_up_to_its_cap_and_not_a_byte_more() -> None:
    exchange = bounded.Exchange(time.monotonic() + 1)
    exchange.count(bounded.MAX_ANSWER_BYTES)
    with pytest.raises(bounded.AnswerTooLargeError):
        exchange.count(1)


def test_an_exchange_belongs_to_its_thread_and_ends_with_its_block() -> None:
    with bounded.deadline(1.0) as exchange:
        assert bounded.current_exchange.get() is exchange
        with ThreadPoolExecutor(1) as threads:
            assert threads.submit(bounded.current_exchange.get).result() is None
    assert bounded.current_exchange.get() is None


def test_no_thread_is_started_for_a_call_on_a_kept_connection(
    own_sts: FaultSTS, spec: SessionSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal.assume_role(spec)

    def no_lookup(*_args: object) -> None:
        raise AssertionError("a kept connection resolves nothing")

    monkeypatch.setattr(transport, "_addresses", no_lookup)
    portal.assume_role(spec)
    assert own_sts.connections == 1


def test_both_kinds_of_socket_bound_every_receive_and_send_that_http_uses() -> None:
    for kind in (bounded.BoundedSocket, bounded.BoundedTLSSocket):
        own = {name for name in vars(kind) if re.match("recv|send|do_", name)}
        assert {"recv", "recv_into"} <= own
        assert own & {"send", "sendall"}
