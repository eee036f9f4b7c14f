//! Metrics of this process, in the text format of Prometheus. Labels have values of closed sets
//! only, so that neither users nor attackers add time series.
//!
//! Counting is lock-free: each counter of a closed set is created once, and counting is an atomic
//! addition. There is one set of metrics in a process, so that every layer can count without being
//! given a handle.

mod labels;
mod process;

use std::{sync::LazyLock, time::Duration};

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
    core::{Collector, GenericCounter, GenericGauge},
};

pub use self::labels::{
    Cache, HashRefusal, Label, Login, MailOutcome, Pool, PoolState, Refresh, RefusedConnection,
    Revocation, Task, Values,
};

/// Media type of the text format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds of durations, in seconds: from a cached request to one that has timed out.
const DURATION_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of the number of changes in a commit.
const CHANGES_BUCKETS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Returns the metrics of this process.
#[must_use]
pub fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);
    &METRICS
}

/// All metrics.
pub struct Metrics {
    registry: Registry,
    /// Requests by `method`, `endpoint` and `status`.
    pub requests: IntCounterVec,
    /// Seconds from the head of a request to the head of its response, by `method` and `endpoint`.
    pub request_duration: HistogramVec,
    /// Open connections.
    pub connections: IntGauge,
    /// Largest number of open connections.
    pub connections_max: IntGauge,
    /// Accepted connections.
    pub connections_accepted: IntCounter,
    /// Connections beyond a limit.
    pub connections_refused: Values<RefusedConnection, IntCounter>,
    /// Bytes of uploads that have arrived.
    pub upload_bytes: IntCounter,
    /// Logins.
    pub logins: Values<Login, IntCounter>,
    /// Refreshes.
    pub refreshes: Values<Refresh, IntCounter>,
    /// Sessions that were ended.
    pub revocations: Values<Revocation, IntCounter>,
    /// Passwords that wait for a worker.
    pub hashes_waiting: IntGauge,
    /// Seconds that passwords have waited.
    pub hash_wait: Histogram,
    /// Seconds that hashing has taken.
    pub hash_duration: Histogram,
    /// Passwords that were not hashed.
    pub hashes_refused: Values<HashRefusal, IntCounter>,
    /// Rows found in a cache.
    pub cache_hits: Values<Cache, IntCounter>,
    /// Rows that were loaded.
    pub cache_misses: Values<Cache, IntCounter>,
    /// Seconds that commits have taken.
    pub commit_duration: Histogram,
    /// Changes of each commit.
    pub commit_changes: Histogram,
    /// Transactions that were not committed.
    pub commit_failures: IntCounter,
    /// Connections to the database.
    database_connections: [(Pool, Values<PoolState, IntGauge>); 2],
    /// Largest number of connections to the database.
    database_connections_max: Values<Pool, IntGauge>,
    /// Attempts to send messages.
    pub mails: Values<MailOutcome, IntCounter>,
    /// Messages in the outbox.
    pub mail_waiting: IntGauge,
    /// Time of the last success of a background task, in seconds of Unix time.
    task_success: Values<Task, IntGauge>,
    /// Failed runs of a background task.
    task_failures: Values<Task, IntCounter>,
    process: process::Process,
}

impl Metrics {
    #[expect(clippy::too_many_lines, reason = "one list of declarations")]
    fn new() -> Self {
        let registry = Registry::new();
        let build = IntGaugeVec::new(
            Opts::new("gatehouse_build_info", "Version of the program; the value is always 1."),
            &["version"],
        );
        let build = register(&registry, build);
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let database_connections = register(
            &registry,
            IntGaugeVec::new(
                Opts::new("gatehouse_database_connections", "Open connections to the database."),
                &[Pool::NAME, PoolState::NAME],
            ),
        );
        let of_pool = |pool: Pool| {
            let of_state = |state: PoolState| {
                database_connections.with_label_values(&[pool.as_str(), state.as_str()])
            };
            (pool, Values::new(of_state))
        };
        let lookups = register(
            &registry,
            IntCounterVec::new(
                Opts::new(
                    "gatehouse_cache_requests_total",
                    "Lookups of rows that each request needs, found in memory (hit) or read from the database (miss).",
                ),
                &[Cache::NAME, "result"],
            ),
        );
        let lookups_with = |result: &'static str| {
            Values::new(|cache: Cache| lookups.with_label_values(&[cache.as_str(), result]))
        };
        Self {
            requests: register(
                &registry,
                IntCounterVec::new(
                    Opts::new("gatehouse_http_requests_total", "Requests that were responded to."),
                    &["method", "endpoint", "status"],
                ),
            ),
            request_duration: register(
                &registry,
                HistogramVec::new(
                    durations(
                        "gatehouse_http_request_duration_seconds",
                        "Time from the head of a request to the head of its response, with the body of the request.",
                    ),
                    &["method", "endpoint"],
                ),
            ),
            connections: gauge(&registry, "gatehouse_connections", "Open connections."),
            connections_max: gauge(
                &registry,
                "gatehouse_connections_max",
                "Limit of open connections.",
            ),
            connections_accepted: counter(
                &registry,
                "gatehouse_connections_accepted_total",
                "Connections within the limits.",
            ),
            connections_refused: counters(
                &registry,
                "gatehouse_connections_refused_total",
                "Connections beyond a limit.",
            ),
            upload_bytes: counter(
                &registry,
                "gatehouse_upload_bytes_total",
                "Bytes of uploads that have arrived.",
            ),
            logins: counters(&registry, "gatehouse_logins_total", "Attempts to log in."),
            refreshes: counters(
                &registry,
                "gatehouse_refreshes_total",
                "Attempts to refresh a session.",
            ),
            revocations: counters(
                &registry,
                "gatehouse_sessions_revoked_total",
                "Sessions that were ended by a request.",
            ),
            hashes_waiting: gauge(
                &registry,
                "gatehouse_password_hashes_waiting",
                "Passwords that wait for hashing.",
            ),
            hash_wait: histogram(
                &registry,
                durations(
                    "gatehouse_password_hash_wait_seconds",
                    "Time that a password has waited for hashing.",
                ),
            ),
            hash_duration: histogram(
                &registry,
                durations(
                    "gatehouse_password_hash_duration_seconds",
                    "Time that hashing a password has taken.",
                ),
            ),
            hashes_refused: counters(
                &registry,
                "gatehouse_password_hashes_refused_total",
                "Passwords that were not hashed because too many wait.",
            ),
            cache_hits: lookups_with("hit"),
            cache_misses: lookups_with("miss"),
            commit_duration: histogram(
                &registry,
                durations(
                    "gatehouse_commit_duration_seconds",
                    "Time of a transaction that changes the database, from its beginning to its commit.",
                ),
            ),
            commit_changes: histogram(
                &registry,
                HistogramOpts::new("gatehouse_commit_changes", "Changes in a commit.")
                    .buckets(CHANGES_BUCKETS.to_vec()),
            ),
            commit_failures: counter(
                &registry,
                "gatehouse_commit_failures_total",
                "Transactions that were not committed.",
            ),
            database_connections: [of_pool(Pool::Read), of_pool(Pool::Write)],
            database_connections_max: gauges(
                &registry,
                "gatehouse_database_connections_max",
                "Limit of open connections to the database.",
            ),
            mails: counters(
                &registry,
                "gatehouse_mail_messages_total",
                "Attempts to send a message.",
            ),
            mail_waiting: gauge(
                &registry,
                "gatehouse_mail_messages_waiting",
                "Messages that wait to be sent.",
            ),
            task_success: gauges(
                &registry,
                "gatehouse_background_task_last_success_timestamp_seconds",
                "Time of the last successful run of a background task; 0 before the first one.",
            ),
            task_failures: counters(
                &registry,
                "gatehouse_background_task_failures_total",
                "Failed runs of a background task.",
            ),
            process: process::Process::new(&registry),
            registry,
        }
    }

    /// Records a run of a background task that ended now, in seconds of Unix time.
    pub fn record_run(&self, task: Task, is_success: bool, now: i64) {
        if is_success {
            self.task_success.of(task).set(now);
        } else {
            self.task_failures.of(task).inc();
        }
    }

    /// Records a transaction with this number of changes.
    pub fn record_commit(&self, changes: usize, took: Duration, is_committed: bool) {
        if is_committed {
            self.commit_duration.observe(took.as_secs_f64());
            #[expect(clippy::cast_precision_loss, reason = "at most some hundred")]
            self.commit_changes.observe(changes as f64);
        } else {
            self.commit_failures.inc();
        }
    }

    /// Sets the numbers of connections of a database pool.
    pub fn set_pool(&self, pool: Pool, open: u32, idle: usize, max: u32) {
        let idle = i64::try_from(idle).unwrap_or(i64::MAX);
        for (_, states) in self.database_connections.iter().filter(|(of, _)| *of == pool) {
            states.of(PoolState::Idle).set(idle);
            states.of(PoolState::Used).set(i64::from(open).saturating_sub(idle).max(0));
        }
        self.database_connections_max.of(pool).set(max.into());
    }

    /// Sets the time of the start, in seconds of Unix time.
    pub fn set_start_time(&self, now: i64) {
        self.process.start_time.set(now);
    }

    /// Renders all metrics.
    ///
    /// # Errors
    ///
    /// An error of the encoder.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        self.process.update();
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

fn durations(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::new(name, help).buckets(DURATION_BUCKETS.to_vec())
}

/// Registers a metric.
///
/// # Panics
///
/// If its name is invalid or taken. Names are constants, so that any use of this module in a test
/// finds it.
fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: prometheus::Result<C>,
) -> C {
    let registered = collector.and_then(|collector| {
        registry.register(Box::new(collector.clone()))?;
        Ok(collector)
    });
    registered.unwrap_or_else(|error| panic!("a metric is declared wrongly: {error}"))
}

fn counter(registry: &Registry, name: &str, help: &str) -> IntCounter {
    register(registry, GenericCounter::new(name, help))
}

fn gauge(registry: &Registry, name: &str, help: &str) -> IntGauge {
    register(registry, GenericGauge::new(name, help))
}

fn histogram(registry: &Registry, options: HistogramOpts) -> Histogram {
    register(registry, Histogram::with_opts(options))
}

fn counters<L: Label>(registry: &Registry, name: &str, help: &str) -> Values<L, IntCounter> {
    let family = register(registry, IntCounterVec::new(Opts::new(name, help), &[L::NAME]));
    Values::new(|label: L| family.with_label_values(&[label.as_str()]))
}

fn gauges<L: Label>(registry: &Registry, name: &str, help: &str) -> Values<L, IntGauge> {
    let family = register(registry, IntGaugeVec::new(Opts::new(name, help), &[L::NAME]));
    Values::new(|label: L| family.with_label_values(&[label.as_str()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn render_lists_every_value_of_closed_labels_before_anything_was_counted() {
        let text = Metrics::new().render().unwrap();
        for outcome in Login::ALL {
            let line = format!("gatehouse_logins_total{{outcome=\"{}\"}} 0\n", outcome.as_str());
            assert!(text.contains(&line), "{text}");
        }
        for line in [
            "# TYPE gatehouse_connections gauge\n",
            "gatehouse_cache_requests_total{cache=\"sessions\",result=\"miss\"} 0\n",
            "gatehouse_database_connections{pool=\"read\",state=\"used\"} 0\n",
            "gatehouse_commit_changes_bucket{le=\"256\"} 0\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[test]
    fn set_pool_tells_used_from_idle_connections() {
        let metrics = Metrics::new();
        metrics.set_pool(Pool::Read, 4, 3, 8);
        let text = metrics.render().unwrap();
        for line in [
            "gatehouse_database_connections{pool=\"read\",state=\"idle\"} 3\n",
            "gatehouse_database_connections{pool=\"read\",state=\"used\"} 1\n",
            "gatehouse_database_connections{pool=\"write\",state=\"used\"} 0\n",
            "gatehouse_database_connections_max{pool=\"read\"} 8\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[test]
    fn record_run_counts_failures_and_dates_successes() {
        let metrics = Metrics::new();
        metrics.record_run(Task::Cleanup, true, 1_800_000_000);
        metrics.record_run(Task::Cleanup, false, 1_800_000_600);
        let text = metrics.render().unwrap();
        for line in [
            "gatehouse_background_task_last_success_timestamp_seconds{task=\"cleanup\"} 1800000000\n",
            "gatehouse_background_task_failures_total{task=\"cleanup\"} 1\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
