"""What Prometheus is told: counts, times and how things stand; nothing about anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from twinops.service.answers import Service

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class Metrics:
    """The counters of one process; each process of several is asked on its own port or sums up elsewhere."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers = Counter("twinops_answers", "Answers", ("act", "status"), registry=self.registry)
        self._refusals = Counter("twinops_refusals", "Refusals", ("act", "type"), registry=self.registry)
        self._times = Histogram(
            "twinops_answer_seconds", "Time to an answer", ("act",), buckets=SECONDS, registry=self.registry
        )
        gauges = {
            "model_version": "Version that answers, 0 for none",
            "twins": "Twins in memory",
            "baskets": "Baskets taken in by events",
            "decisions_lost": "Lines of the log of decisions that were lost",
            "fresh": "Whether permissions are known well enough",
        }
        self._stands = {n: Gauge(f"twinops_{n}", said, registry=self.registry) for n, said in gauges.items()}

    def answered(self, act: str, status: int, seconds: float) -> None:
        """One answer."""
        self._answers.labels(act, str(status)).inc()
        self._times.labels(act).observe(seconds)

    def refused(self, act: str, code: str) -> None:
        """One refusal."""
        self._refusals.labels(act, code).inc()

    def standing(self, service: Service) -> None:
        """How things stand now."""
        live = service.production.live
        now = {
            "model_version": live.version if live else 0,
            "twins": len(service.twins.states),
            "baskets": service.watch.applied.baskets,
            "decisions_lost": service.log.lost,
            "fresh": float(service.watch.fresh),
        }
        for name, value in now.items():
            self._stands[name].set(value)
