"""What a collector of traces and a scraper see of the service: acts, counts and times, and nothing about anybody."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import serving
from living_world import natural
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from serving import Asked, Shop, refusal

from twinops.service import app
from twinops.service.answers import Service


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """The SDK's provider in place of none, for the tracer of the service."""
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(app, "_tracer", provider.get_tracer("twinops.service"))
    yield kept
    provider.shutdown()


def test_a_collector_gets_a_span_for_each_act_with_its_status_and_no_id(
    shop: Shop, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, secret = shop.token("everything"), "ann.example@mail.invalid"
    with serving.running(shop) as (address, _):
        asked = Asked(address, token)
        assert asked.predict(40).status_code == 200
        assert refusal(asked.predict(secret)) == "unknown-consumer"

        def broken(*_: object) -> str:
            raise ValueError(f"{secret} is no number")

        monkeypatch.setattr(Service, "predict", broken)
        assert refusal(asked.predict(secret)) == "unexpected"
    found = spans.get_finished_spans()
    assert [s.name for s in found] == ["twinops predict"] * 3
    assert [s.attributes["http.response.status_code"] for s in found] == [200, 404, 500]
    told = "".join(s.to_json() for s in found)
    for word in (natural(40), secret, token.partition(".")[2]):
        assert word not in told


def scraped(address: str) -> dict[tuple[str, ...], float]:
    """As Prometheus reads it: name and labels in their order -> value."""
    text = httpx.get(f"{address}/metrics").text
    families = text_string_to_metric_families(text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_a_scraper_counts_what_was_answered_and_every_refusal(shop: Shop) -> None:
    token = shop.token("everything")
    with serving.running(shop) as (address, service):
        asked = Asked(address, token)
        for _ in range(3):
            asked.predict(40)
        asked.buy(41, "e1")
        assert refusal(asked.predict(40, "credit")) == "purpose-not-declared"
        assert refusal(Asked(address, "nobody").predict(40)) == "unauthenticated"
        assert refusal(asked.http.post("/v1/score", content=b" " * (1024**2 + 1))) == "too-large"
        found = scraped(address)
        assert found["twinops_answers_total", "predict", "200"] == 3
        assert found["twinops_answers_total", "predict", "401"] == 1
        assert found["twinops_answer_seconds_count", "predict"] == 5
        assert found["twinops_answers_total", "events", "202"] == 1
        for act, kind in (("predict", "purpose-not-declared"), ("predict", "unauthenticated"), ("score", "too-large")):
            assert found["twinops_refusals_total", act, kind] == 1
        assert found["twinops_model_version",] == 3
        assert found["twinops_baskets",] == 1
        assert found["twinops_twins",] == len(service.twins.states)
        assert found["twinops_fresh",] == 1
