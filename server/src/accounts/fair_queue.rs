//! Fair queueing of jobs by client: clients take turns, however many jobs each has waiting.
//!
//! This is start-time fair queueing (Goyal, Vin and Cheng, 1996) with jobs of equal weight. A job's
//! turn is the number of jobs that its client has had before it since it became active, counted
//! from the turn that was being served then. The lowest turn is served first, and clients with the
//! same turn in the order in which they came to it.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::Hash,
};

/// A queue of jobs by client.
pub(super) struct FairQueue<C, J> {
    /// Clients with jobs that wait or run.
    active: HashMap<C, Backlog<J>>,
    /// Clients with waiting jobs, in the order in which they are served: by turn, and then by
    /// arrival.
    order: BTreeMap<(u64, u64), C>,
    /// The turn of the job that was taken last.
    turn: u64,
    /// The number of the next job or arrival.
    next: u64,
}

/// The jobs of a client.
struct Backlog<J> {
    /// The turn of its first waiting job, or of the next one to come where none waits.
    turn: u64,
    /// Its number among the clients of that turn.
    arrival: u64,
    /// Waiting jobs and their tickets, which ascend.
    waiting: VecDeque<(u64, J)>,
    running: usize,
}

impl<C, J> Default for FairQueue<C, J> {
    fn default() -> Self {
        Self { active: HashMap::new(), order: BTreeMap::new(), turn: 0, next: 0 }
    }
}

impl<C: Copy + Eq + Hash, J> FairQueue<C, J> {
    /// Adds a job, and returns the ticket that cancels it.
    pub(super) fn push(&mut self, client: C, job: J) -> u64 {
        let (turn, ticket) = (self.turn, self.number());
        let backlog = self.active.entry(client).or_insert(Backlog {
            turn,
            arrival: 0,
            waiting: VecDeque::new(),
            running: 0,
        });
        if backlog.waiting.is_empty() {
            backlog.turn = backlog.turn.max(turn);
            backlog.arrival = ticket;
            self.order.insert((backlog.turn, ticket), client);
        }
        backlog.waiting.push_back((ticket, job));
        ticket
    }

    /// Takes the next job. Its client is active until [`finish`](Self::finish).
    pub(super) fn pop(&mut self) -> Option<(C, J)> {
        let ((turn, _), client) = self.order.pop_first()?;
        self.turn = turn;
        let arrival = self.number();
        let backlog = self.active.get_mut(&client)?;
        let (_, job) = backlog.waiting.pop_front()?;
        backlog.running += 1;
        backlog.turn = turn + 1;
        if !backlog.waiting.is_empty() {
            backlog.arrival = arrival;
            self.order.insert((backlog.turn, arrival), client);
        }
        Some((client, job))
    }

    /// Notes that a job of a client has run.
    pub(super) fn finish(&mut self, client: &C) {
        if let Some(backlog) = self.active.get_mut(client) {
            backlog.running = backlog.running.saturating_sub(1);
        }
        self.forget_idle(client);
    }

    /// Removes a job that still waits.
    pub(super) fn cancel(&mut self, client: &C, ticket: u64) {
        let Some(backlog) = self.active.get_mut(client) else { return };
        if let Ok(at) = backlog.waiting.binary_search_by_key(&ticket, |(ticket, _)| *ticket) {
            backlog.waiting.remove(at);
            if backlog.waiting.is_empty() {
                self.order.remove(&(backlog.turn, backlog.arrival));
            }
            self.forget_idle(client);
        }
    }

    /// Returns the number of waiting jobs of a client.
    pub(super) fn waiting(&self, client: &C) -> usize {
        self.active.get(client).map_or(0, |backlog| backlog.waiting.len())
    }

    /// Returns the number of jobs that would run before a new job of the client, if no others came.
    pub(super) fn ahead(&self, client: &C) -> usize {
        let own = self.waiting(client);
        let first =
            self.active.get(client).map_or(self.turn, |backlog| backlog.turn.max(self.turn));
        let turn = first + own as u64;
        let others = self.order.iter().filter(|(_, other)| *other != client).map(
            |((other_turn, _), other)| {
                let until_then =
                    turn.checked_sub(*other_turn).map_or(0, |turns| turns.saturating_add(1));
                self.waiting(other).min(usize::try_from(until_then).unwrap_or(usize::MAX))
            },
        );
        own + others.sum::<usize>()
    }

    fn forget_idle(&mut self, client: &C) {
        if self
            .active
            .get(client)
            .is_some_and(|backlog| backlog.running == 0 && backlog.waiting.is_empty())
        {
            self.active.remove(client);
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Queue = FairQueue<u8, u32>;

    fn drain(queue: &mut Queue) -> Vec<(u8, u32)> {
        std::iter::from_fn(|| {
            let taken = queue.pop()?;
            queue.finish(&taken.0);
            Some(taken)
        })
        .collect()
    }

    #[test]
    fn pop_with_jobs_of_several_clients_takes_one_of_each_in_turn() {
        let mut queue = Queue::default();
        for (client, job) in [(1, 10), (1, 11), (1, 12), (2, 20), (3, 30), (3, 31)] {
            queue.push(client, job);
        }
        assert_eq!(drain(&mut queue), [(1, 10), (2, 20), (3, 30), (1, 11), (3, 31), (1, 12)]);
        assert!(queue.active.is_empty() && queue.order.is_empty());
    }

    #[test]
    fn invariant_30_job_of_another_client_waits_for_one_job_of_each_worker_behind_a_hundred_of_one_client()
     {
        for workers in 1..=8 {
            let mut queue = Queue::default();
            for job in 0..100 {
                queue.push(1, job);
            }
            // Both workers run jobs of the first client; one of them comes back for another.
            for _ in 0..workers {
                assert_eq!(queue.pop().map(|(client, _)| client), Some(1));
            }
            assert_eq!(queue.ahead(&2), 0);
            queue.push(2, 0);
            queue.finish(&1);
            assert_eq!(queue.pop(), Some((2, 0)), "{workers} workers");
        }
    }

    #[test]
    fn push_by_client_with_running_job_queues_behind_idle_clients() {
        let mut queue = Queue::default();
        queue.push(1, 10);
        assert_eq!(queue.pop(), Some((1, 10)));
        queue.push(1, 11);
        queue.push(2, 20);
        assert_eq!(queue.pop(), Some((2, 20)));
        assert_eq!(queue.pop(), Some((1, 11)));
    }

    #[test]
    fn cancel_removes_the_job_and_its_idle_client() {
        let mut queue = Queue::default();
        let (first, second) = (queue.push(1, 10), queue.push(1, 11));
        queue.push(2, 20);
        queue.cancel(&1, first);
        queue.cancel(&1, first);
        assert_eq!((queue.waiting(&1), queue.ahead(&1)), (1, 2));
        queue.cancel(&1, second);
        queue.cancel(&3, second);
        assert_eq!(drain(&mut queue), [(2, 20)]);
        assert!(queue.active.is_empty() && queue.order.is_empty());
    }

    /// A step of clients or workers.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Push(u8),
        Pop,
        /// A worker finishes its oldest job.
        Finish,
        /// The waiting job at this position is cancelled.
        Cancel(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (0..5_u8).prop_map(Step::Push),
            2 => Just(Step::Pop),
            2 => Just(Step::Finish),
            1 => (0..20_usize).prop_map(Step::Cancel),
        ]
    }

    proptest! {
        #[test]
        fn any_steps_take_each_job_once_in_order_of_its_client(steps in proptest::collection::vec(step(), 0..200)) {
            let mut queue = Queue::default();
            let (mut waiting, mut running) = (Vec::new(), VecDeque::new());
            for (job, step) in (0_u32..).zip(steps) {
                match step {
                    Step::Push(client) => waiting.push((client, job, queue.push(client, job))),
                    Step::Pop => {
                        let taken = queue.pop();
                        prop_assert_eq!(taken.is_some(), !waiting.is_empty());
                        if let Some((client, job)) = taken {
                            let first = waiting.iter().position(|(of, ..)| *of == client).expect("it was added");
                            prop_assert_eq!(waiting.remove(first).1, job);
                            running.push_back(client);
                        }
                    }
                    Step::Finish => {
                        if let Some(client) = running.pop_front() {
                            queue.finish(&client);
                        }
                    }
                    Step::Cancel(at) if at < waiting.len() => {
                        let (client, _, ticket) = waiting.remove(at);
                        queue.cancel(&client, ticket);
                    }
                    Step::Cancel(_) => {}
                }
                for client in 0..5 {
                    let expected = waiting.iter().filter(|(of, ..)| *of == client).count();
                    prop_assert_eq!(queue.waiting(&client), expected);
                }
            }
            let rest = drain(&mut queue);
            prop_assert_eq!(rest.len(), waiting.len());
            for client in running {
                queue.finish(&client);
            }
            prop_assert!(queue.active.is_empty() && queue.order.is_empty());
        }

        #[test]
        fn any_steps_serve_waiting_clients_within_one_job_of_each_other(
            lengths in proptest::collection::vec(1..40_usize, 2..5),
        ) {
            let mut queue = Queue::default();
            for (client, length) in (0_u8..).zip(&lengths) {
                for job in 0..*length {
                    queue.push(client, u32::try_from(job).expect("small"));
                }
            }
            let mut served = vec![0_usize; lengths.len()];
            while let Some((client, _)) = queue.pop() {
                served[usize::from(client)] += 1;
                let waiting = || (0..lengths.len()).filter(|at| served[*at] < lengths[*at]).map(|at| served[at]);
                let least = waiting().min().unwrap_or_default();
                prop_assert!(waiting().all(|count| count <= least + 1));
            }
        }
    }
}
