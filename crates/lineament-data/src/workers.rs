//! Work on many items by several threads, each with a state of its own, such as loaded models.
//!
//! Plain threads and not rayon: items are taken in their order, so that after a stop the first ones are done and not
//! some here and there; and a thread never takes up a second item while it waits within the first, which would need
//! two states (or a lock that the thread holds already, if `work` uses rayon itself).

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::error::Error;

/// How many threads are worth starting: `wanted`, or every core for 0, but no more than there are items.
pub fn count(wanted: usize, items: usize) -> usize {
    let count = if wanted == 0 { thread::available_parallelism().map_or(1, NonZero::get) } else { wanted };
    count.min(items).max(1)
}

/// `work` on the items, by as many threads as there are states; the answers are in the order of the items. Once `stop`
/// is true no further item is taken: the answers are then those of the first items.
///
/// # Errors
/// What `work` answers, of several errors that of the first item; [`Error::Setting`] when a thread cannot be started.
///
/// # Panics
/// When `work` does.
pub fn in_order<T: Sync, S: Send, R: Send, E: From<Error> + Send>(
    items: &[T],
    states: &mut [S],
    stop: &AtomicBool,
    work: impl Fn(&mut S, &T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let worker = |state: &mut S| {
        let mut answers = Vec::new();
        while !stop.load(Ordering::Relaxed) && !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break };
            let answer = work(state, item);
            failed.fetch_or(answer.is_err(), Ordering::Relaxed);
            answers.push((index, answer));
        }
        answers
    };
    let count = states.len();
    let mut answers = thread::scope(|scope| {
        let start = |state| thread::Builder::new().spawn_scoped(scope, || worker(state));
        let started: Result<Vec<_>, _> = states.iter_mut().map(start).collect();
        failed.fetch_or(started.is_err(), Ordering::Relaxed);
        let threads = started.map_err(|e| Error::Setting(format!("threads {count}: cannot start them: {e}")))?;
        let end = |thread: thread::ScopedJoinHandle<_>| thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok::<Vec<_>, Error>(threads.into_iter().flat_map(end).collect())
    })?;
    answers.sort_unstable_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    static ON: AtomicBool = AtomicBool::new(false);

    #[test]
    fn every_item_is_worked_on_once_and_answers_are_in_order() {
        let items: Vec<usize> = (0..500).collect();
        let mut states = vec![0; 4];
        let work = |done: &mut usize, item: &usize| {
            *done += 1;
            Ok::<_, Error>(2 * item)
        };
        let answers = in_order(&items, &mut states, &ON, work).unwrap();
        assert_eq!(answers, items.iter().map(|i| 2 * i).collect::<Vec<_>>());
        assert_eq!(states.iter().sum::<usize>(), 500);
    }

    #[test]
    fn after_a_stop_the_first_items_are_done_and_no_others() {
        let items: Vec<usize> = (0..500).collect();
        let (stop, done) = (AtomicBool::new(false), AtomicUsize::new(0));
        let work = |(): &mut (), item: &usize| {
            stop.fetch_or(*item == 50, Ordering::Relaxed);
            done.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Error>(*item)
        };
        let answers = in_order(&items, &mut [(); 4], &stop, work).unwrap();
        assert!((51..=54).contains(&answers.len()), "{}", answers.len());
        assert_eq!(answers, items[..answers.len()]);
        assert_eq!(done.load(Ordering::Relaxed), answers.len(), "nothing that is done is lost");
    }

    #[test]
    fn the_first_error_comes_back_and_ends_the_work() {
        let done = AtomicUsize::new(0);
        let work = |(): &mut (), item: &usize| {
            done.fetch_add(1, Ordering::Relaxed);
            if *item >= 20 { Err(Error::Setting(format!("item {item}"))) } else { Ok(()) }
        };
        let items: Vec<usize> = (0..100_000).collect();
        let error = in_order(&items, &mut [(); 3], &ON, work).unwrap_err().to_string();
        assert!(error.ends_with("item 20"), "{error}");
        assert!(done.load(Ordering::Relaxed) < items.len());
    }

    #[test]
    fn work_may_use_rayon() {
        use rayon::prelude::*;

        let items = [0; 64];
        // Waits within an item, so that rayon takes up other work meanwhile if it has any.
        let work = |sum: &mut usize, _: &usize| {
            *sum += (0..16).into_par_iter().map(|i| (thread::sleep(Duration::from_millis(1)), i).1).sum::<usize>();
            Ok::<_, Error>(())
        };
        let (done, wait) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let mut states = [0; 2];
            in_order(&items, &mut states, &ON, work).unwrap();
            done.send(states.iter().sum::<usize>()).unwrap();
        });
        assert_eq!(wait.recv_timeout(Duration::from_secs(60)), Ok(64 * 120), "no thread waits for itself");
    }

    #[test]
    #[should_panic(expected = "a fault in the work")]
    fn a_panic_comes_through() {
        let _ = in_order(&[1, 2, 3], &mut [(); 2], &ON, |(), _| -> Result<(), Error> { panic!("a fault in the work") });
    }

    #[test]
    fn there_are_no_more_threads_than_items_and_at_least_one() {
        assert_eq!([count(3, 10), count(3, 2), count(3, 0), count(0, 1)], [3, 2, 1, 1]);
    }
}
