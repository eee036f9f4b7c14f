//! Periodic background tasks.

use std::{convert::Infallible, fmt::Display, sync::Arc, time::Duration};

use crate::{
    clock::Env,
    files::FileService,
    mail::MailService,
    metrics::{Task, metrics},
    sessions::SessionService,
    tokens::keys::KeyStore,
};

/// Interval of polling the key file, of which a change must be visible within a second.
const POLL_INTERVAL: Duration = Duration::from_millis(400);
/// Interval of writing acknowledgements: at most about a second after they were recorded.
const FLUSH_INTERVAL: Duration = Duration::from_millis(700);
/// Interval of deleting expired rows and orphaned objects.
const CLEANUP_INTERVAL: Duration = Duration::from_mins(10);
/// Interval of looking for messages to send: a message waits for half of it on average.
const MAIL_INTERVAL: Duration = Duration::from_secs(1);
/// Interval of counting the waiting messages.
const MAIL_COUNT_INTERVAL: Duration = Duration::from_secs(10);

/// Runs all background tasks until it is dropped.
pub(super) async fn run(
    sessions: SessionService,
    files: FileService,
    keys: Arc<KeyStore>,
    mail: Option<MailService>,
    env: Env,
) {
    let env = &env;
    tokio::join!(
        sessions.follow_changes(),
        sessions.watch_clocks(),
        run_periodically(Task::PollKeys, POLL_INTERVAL, env, || {
            // It logs what it finds.
            keys.reload_if_changed();
            std::future::ready(Ok::<_, Infallible>(()))
        }),
        run_periodically(Task::Acknowledgements, FLUSH_INTERVAL, env, || sessions
            .write_acknowledgements()),
        run_periodically(Task::Cleanup, CLEANUP_INTERVAL, env, || sessions.delete_expired()),
        run_periodically(Task::OrphanSweep, CLEANUP_INTERVAL, env, || files.sweep()),
        finish_deletions(&sessions, &files, env),
        send_mail(mail, env),
    );
}

/// Sends the messages of the outbox and counts those that wait, if mail is set up.
async fn send_mail(mail: Option<MailService>, env: &Env) {
    let Some(mail) = mail else { return };
    tokio::join!(
        run_periodically(Task::Mail, MAIL_INTERVAL, env, || mail.deliver_due()),
        run_periodically(Task::MailCount, MAIL_COUNT_INTERVAL, env, || mail.measure()),
    );
}

/// Finishes deletions of accounts: at once for this process, within the cleanup interval for other
/// processes and after a crash.
async fn finish_deletions(sessions: &SessionService, files: &FileService, env: &Env) {
    loop {
        let deleted = sessions.finish_deletions().await;
        if let Err(error) = &deleted {
            tracing::warn!(%error, "something is left of a deleted account; the next time tries again");
        }
        let swept = files.sweep().await;
        if let Err(error) = &swept {
            tracing::warn!(%error, "files of a deleted account are left; the next time tries again");
        }
        metrics().record_run(Task::Deletions, deleted.is_ok() && swept.is_ok(), env.now());
        // A timeout is as good as a notification.
        let _ = tokio::time::timeout(CLEANUP_INTERVAL, sessions.next_deletion()).await;
    }
}

/// Runs a task at an interval. Errors are logged, and the task runs again at the next interval.
async fn run_periodically<F, E>(
    task: Task,
    interval: Duration,
    env: &Env,
    mut work: impl FnMut() -> F,
) where
    F: Future<Output = Result<(), E>>,
    E: Display,
{
    let mut interval = tokio::time::interval(interval);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let done = work().await;
        metrics().record_run(task, done.is_ok(), env.now());
        if let Err(error) = done {
            tracing::warn!(%error, "{}; retrying at the next interval", failure_of(task));
        }
    }
}

/// Returns the text of the log for a failed run.
const fn failure_of(task: Task) -> &'static str {
    match task {
        Task::PollChanges => "polling the database for changes failed",
        Task::PollKeys => "polling the key file failed",
        Task::Acknowledgements => "acknowledgements could not be stored",
        Task::Cleanup => "cleanup of expired rows failed",
        Task::OrphanSweep => "cleanup of orphaned objects failed",
        Task::Deletions => "something is left of a deleted account",
        Task::Mail => "the outbox could not be read or changed",
        Task::MailCount => "the outbox could not be counted",
    }
}
