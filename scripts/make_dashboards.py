"""The Grafana dashboards, written down once: run as `python -m scripts.make_dashboards` after a change of this file.

A test makes sure that the files in deploy/grafana/dashboards are what this makes, and that the service exports all that
they ask for.
"""

import json
from pathlib import Path

from scripts.grafana import Dashboard, Panel, rates, ratio, spread, stat, times, to_model

FOLDER = Path(__file__).resolve().parents[1] / "deploy" / "grafana" / "dashboards"
WATCHERS = 'route!~"/metrics|/api/v1/health.*"'  # who only asks how the service is

COHERENCE = "max(lattice_gem_coherence_ratio_gsum) / max(lattice_gem_coherence_ratio_gcount)"
UNCERTAINTY = "max(lattice_gem_uncertainty_ratio_gsum) / max(lattice_gem_uncertainty_ratio_gcount)"
COST_PER_HOUR = "sum(rate(lattice_llm_cost_usd_total[1h])) * 3600"
HIT_RATIO = 'sum(rate({0}{{hit="true"}}[$__rate_interval])) / sum(rate({0}[$__rate_interval]))'

OVERVIEW = Dashboard(
    "lattice-overview",
    "Crystal Lattice: overview",
    (
        stat("Mean coherence", "How strongly the gems hold.", COHERENCE, "percentunit", warn=-0.2),
        stat("Order", "How much of the lattice moves together.", "max(lattice_order_parameter_ratio)", "percentunit"),
        stat("Incoherent gems", "Gems whose coherence is below 0.1.", "max(lattice_gems_incoherent)", warn=1.0),
        stat("Failed requests", "Of the last hour.", "lattice:http_failed:ratio_rate1h", "percentunit", warn=0.005),
        stat(
            "Ingestion lag", "Of the ingestion that waits longest.", "max(lattice_ingestion_lag_seconds)", "s", warn=900
        ),
        stat("Cost an hour", "Of LLM calls, where prices are known.", COST_PER_HOUR, "currencyUSD", warn=20.0),
        rates("Requests", "Over HTTP, by the status of the answer.", "lattice_http_requests_total", "status", "reqps"),
        times("Answers", "Time over HTTP; of streams, until they began.", "lattice_http_request_duration_seconds"),
        rates("Errors", "Requests that were answered with an error, by its code.", "lattice_errors_total", "code"),
        Panel(
            "Error budgets burnt",
            "How fast, against what 30 days allow; 1 uses the budget up just in time.",
            (
                ("lattice:http_failed:ratio_rate1h / 0.005", "requests"),
                ("lattice:recall_slow:ratio_rate1h / 0.01", "recalls"),
                ("lattice:reflection_slow:ratio_rate1h / 0.05", "reflections"),
            ),
            warn=1.0,
        ),
        Panel(
            "Use",
            "Recalls and reflections a minute.",
            (
                ("sum(rate(lattice_recall_duration_seconds_count[$__rate_interval])) * 60", "recalls"),
                ("sum(rate(lattice_reflection_duration_seconds_count[$__rate_interval])) * 60", "reflections"),
            ),
        ),
        Panel(
            "Alerts",
            "What Prometheus fires, and since when.",
            (('max by (alertname, severity) (ALERTS{alertstate="firing"})', ""),),
            kind="table",
        ),
    ),
)

FIELD = Dashboard(
    "lattice-field",
    "Crystal Lattice: the field",
    (
        spread("Coherence", "How the gems are spread over coherence.", "lattice_gem_coherence_ratio"),
        spread("Uncertainty", "How the gems are spread over uncertainty.", "lattice_gem_uncertainty_ratio"),
        ratio(
            "The field",
            "Means over the gems that are not archived, and how much of them moves together.",
            (COHERENCE, "coherence"),
            (UNCERTAINTY, "uncertainty"),
            ("max(lattice_order_parameter_ratio)", "order parameter"),
        ),
        Panel(
            "Gems",
            "Not archived, and of these the incoherent ones.",
            (("max(lattice_gems)", "all"), ("max(lattice_gems_incoherent)", "incoherent")),
        ),
        Panel("Energy", "Mean energy: how slowly the gems fade.", (("max(lattice_gem_energy_mean)", "energy"),)),
        rates(
            "Measurements of gems",
            "States that a use strengthened.",
            'lattice_measurements_total{subject="gem"}',
            "cause",
        ),
        rates("Measurements of passages", "The same.", 'lattice_measurements_total{subject="passage"}', "cause"),
        rates("Answers", "Whether they cite what they were given.", "lattice_reflections_total", "grounding"),
        Panel(
            "Alerts",
            "Open ones, of the service's own rules.",
            (("max by (severity) (lattice_alerts_firing)", "{{severity}}"),),
        ),
    ),
)

RECALL = Dashboard(
    "lattice-recall",
    "Crystal Lattice: recall and reflection",
    (
        times("Recalls", "From the question to the passages.", "lattice_recall_duration_seconds"),
        times("Steps of recalls", "95th percentile.", "lattice_recall_step_duration_seconds", "step"),
        ratio(
            "Cache of recall",
            "Share of questions answered from it.",
            (HIT_RATIO.format("lattice_recall_cache_lookups_total"), "hits"),
        ),
        times("Reflections", "From the question until the answer was stored.", "lattice_reflection_duration_seconds"),
        times("Routes", "95th percentile.", "lattice_http_request_duration_seconds", "route", f"{{{WATCHERS}}}"),
        ratio(
            "Slow",
            "Share of recalls above half a second, and of reflections above ten.",
            ("lattice:recall_slow:ratio_rate1h", "recalls"),
            ("lattice:reflection_slow:ratio_rate1h", "reflections"),
        ),
    ),
)

ROUTER = Dashboard(
    "lattice-router",
    "Crystal Lattice: the router",
    (
        Panel(
            "Breakers",
            "Targets that are not closed: 1 is open, a half tries again.",
            (
                (
                    'max by (target) (lattice_llm_target_breaker_state{state="open"})'
                    ' + 0.5 * max by (target) (lattice_llm_target_breaker_state{state="half_open"})',
                    "{{target}}",
                ),
            ),
            at_most=1.0,
            warn=0.5,
        ),
        Panel("Busy", "Calls under way.", (("sum by (target) (lattice_llm_target_busy)", "{{target}}"),)),
        Panel(
            "Switched on",
            "0 for targets that an operator switched off.",
            (("min by (target) (lattice_llm_target_enabled)", "{{target}}"),),
            at_most=1.0,
        ),
        rates("Calls", "Of logical models, by how they ended.", "lattice_llm_calls_total", "outcome"),
        rates(
            "Attempts", "At targets, retries, fallbacks and hedges included.", "lattice_llm_attempts_total", "target"
        ),
        rates(
            "Faults",
            "Attempts that failed, by the kind of fault.",
            'lattice_llm_attempts_total{outcome="failed"}',
            "error",
        ),
        times(
            "Answers",
            "95th percentile, to the end.",
            "lattice_llm_attempt_duration_seconds",
            "target",
            '{outcome="answered"}',
        ),
        times("First tokens", "95th percentile, of streams.", "lattice_llm_time_to_first_token_seconds", "target"),
        ratio(
            "Caches",
            "Share of look-ups that were hits.",
            (
                'sum by (cache) (rate(lattice_llm_cache_lookups_total{hit="true"}[$__rate_interval]))'
                " / sum by (cache) (rate(lattice_llm_cache_lookups_total[$__rate_interval]))",
                "{{cache}}",
            ),
        ),
        rates("Tokens", "By what they were.", "lattice_llm_tokens_total", "bucket"),
        Panel(
            "Cost an hour",
            "Where prices are known.",
            (("sum by (target) (rate(lattice_llm_cost_usd_total[1h])) * 3600", "{{target}}"),),
            "currencyUSD",
        ),
    ),
)

WORK = Dashboard(
    "lattice-work",
    "Crystal Lattice: ingestion and the process",
    (
        rates("Documents", "Taken in by this process.", "lattice_ingested_documents_total", "outcome"),
        Panel(
            "Passages",
            "Stored by this process.",
            (("sum(rate(lattice_ingested_passages_total[$__rate_interval]))", "passages"),),
            "ops",
        ),
        Panel("Ingestions", "That have not ended.", (("max by (state) (lattice_ingestions)", "{{state}}"),)),
        Panel(
            "Lag",
            "Of the ingestion that waits longest.",
            (("max(lattice_ingestion_lag_seconds)", "lag"),),
            "s",
            warn=900.0,
        ),
        Panel("Jobs", "In the queue.", (("max by (kind, state) (lattice_jobs)", "{{kind}}, {{state}}"),)),
        Panel("Oldest jobs", "That are due.", (("max by (kind) (lattice_jobs_oldest_seconds)", "{{kind}}"),), "s"),
        times("Time of jobs", "95th percentile.", "lattice_job_duration_seconds", "kind"),
        Panel(
            "Processors",
            "In use by the process.",
            (("rate(process_cpu_seconds_total[$__rate_interval])", "{{instance}}"),),
            "cores",
        ),
        Panel("Memory", "Resident.", (("process_resident_memory_bytes", "{{instance}}"),), "bytes"),
        Panel(
            "Requests",
            "Being answered, and viewers of the stream.",
            (
                ("lattice_http_requests_in_progress", "{{instance}}"),
                ("lattice_stream_viewers", "viewers at {{instance}}"),
            ),
        ),
        Panel(
            "Reading the lattice",
            "For the metrics themselves.",
            (("lattice_read_duration_seconds", "{{instance}}"),),
            "s",
        ),
        Panel("Open files", "Of the process.", (("process_open_fds", "{{instance}}"),)),
    ),
)

DASHBOARDS = (OVERVIEW, FIELD, RECALL, ROUTER, WORK)


def write(dashboard: Dashboard) -> str:
    """Return the text of a dashboard's file."""
    return json.dumps(to_model(dashboard), indent=2) + "\n"


def main() -> None:
    """Write all files."""
    for dashboard in DASHBOARDS:
        path = FOLDER / f"{dashboard.uid}.json"
        path.write_text(write(dashboard), encoding="utf-8")
        print(f"{path.name}: {len(dashboard.panels)} panels")


if __name__ == "__main__":
    main()
