//! Metrics of the process, with the names that Prometheus' client libraries give them.

use std::fs;

use prometheus::{Counter, IntGauge, Registry};

use super::{gauge, register};

/// Metrics of the process. Where there is no `/proc`, only the start time is known.
pub(super) struct Process {
    pub(super) start_time: IntGauge,
    resident_memory: IntGauge,
    open_files: IntGauge,
    max_files: IntGauge,
    cpu: Counter,
}

impl Process {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            start_time: gauge(
                registry,
                "process_start_time_seconds",
                "Start of the process, in seconds of Unix time.",
            ),
            resident_memory: gauge(
                registry,
                "process_resident_memory_bytes",
                "Resident memory in bytes.",
            ),
            open_files: gauge(registry, "process_open_fds", "Open file descriptors."),
            max_files: gauge(registry, "process_max_fds", "Limit of open file descriptors."),
            cpu: register(
                registry,
                Counter::new("process_cpu_seconds_total", "User and system time in seconds."),
            ),
        }
    }

    /// Reads the current values.
    pub(super) fn update(&self) {
        if let Some(bytes) = resident_memory() {
            self.resident_memory.set(bytes);
        }
        if let Ok(entries) = fs::read_dir("/proc/self/fd") {
            self.open_files.set(i64::try_from(entries.count()).unwrap_or(i64::MAX));
        }
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        self.max_files.set(limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(i64::MAX));
        if let Some(seconds) = cpu_seconds() {
            // Concurrent scrapes may have read it in another order.
            self.cpu.inc_by((seconds - self.cpu.get()).max(0.0));
        }
    }
}

fn resident_memory() -> Option<i64> {
    let pages: i64 =
        fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    pages.checked_mul(i64::try_from(rustix::param::page_size()).ok()?)
}

fn cpu_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may contain spaces.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: u32 =
        fields.next()?.parse::<u32>().ok()?.checked_add(fields.next()?.parse().ok()?)?;
    let per_second = u32::try_from(rustix::param::clock_ticks_per_second()).ok()?;
    Some(f64::from(ticks) / f64::from(per_second))
}
