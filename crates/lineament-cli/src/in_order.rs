//! Works on a list with several threads and hands the results over in the order of the list.
//!
//! Memory stays bounded: no thread starts an item that is more than a few places ahead of the last result handed over.
//! These are plain threads because rayon's parallel maps either lose the order or collect everything first.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};

use anyhow::{Context, Result, anyhow};

use crate::failure::OrTry as _;

/// Items per thread that may be in work or wait for an earlier one. A slow photo stops the others only when these are
/// used up.
const AHEAD_PER_THREAD: usize = 8;

/// Calls `work` on every item, on `threads` threads, each with its own state from `start`. Calls `done` on this thread
/// with each result, in the order of `items`.
///
/// A panic of `work` becomes the error of that item, so that one photo cannot end the work on the others.
///
/// # Errors
/// The first error of `start` or `done`, or the first panic of `start`; it ends the work.
pub fn in_order<T: Sync, S, R: Send>(
    items: &[T],
    threads: usize,
    start: impl Fn() -> Result<S> + Sync,
    work: impl Fn(&mut S, &T) -> R + Sync,
    mut done: impl FnMut(&T, Result<R>) -> Result<()>,
) -> Result<()> {
    let threads = threads.min(items.len());
    let queue = Queue::new(items.len(), threads * AHEAD_PER_THREAD);
    let (queue, start, work) = (&queue, &start, &work);
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..threads {
            let sender = sender.clone();
            let worker = move || serve(queue, items, start, work, &sender);
            std::thread::Builder::new()
                .spawn_scoped(scope, worker)
                .context("cannot start a thread")
                .or_try("try fewer with --threads")?;
        }
        drop(sender);
        let _closing = Closing(queue);
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for message in receiver {
            let (index, result) = message?;
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&next) {
                done(&items[next], result)?;
                next += 1;
                queue.handed_over();
            }
        }
        Ok(())
    })
}

/// What a thread does: it takes items, works on them and sends the results, until the queue or the receiver ends.
fn serve<T, S, R>(
    queue: &Queue,
    items: &[T],
    start: &impl Fn() -> Result<S>,
    work: &impl Fn(&mut S, &T) -> R,
    sender: &mpsc::Sender<Result<(usize, Result<R>)>>,
) {
    let mut state = None;
    while let Some(index) = queue.take() {
        let started = match state.take() {
            Some(ready) => Ok(ready),
            // Without a message for its item this thread would leave the receiver and the others waiting for ever.
            None => without_panic("", start).and_then(|started| started),
        };
        let mut ready = match started {
            Ok(ready) => ready,
            Err(error) => {
                let _ = sender.send(Err(error)); // fails only when the work has ended already
                return;
            }
        };
        let result = without_panic(" with the photo", || work(&mut ready, &items[index]));
        // After a panic the state may be half changed: the next item gets a fresh one.
        state = result.is_ok().then_some(ready);
        if sender.send(Ok((index, result))).is_err() {
            return;
        }
    }
}

/// What `call` answers; a panic is an error. `with` names what a report of the fault should contain.
fn without_panic<T>(with: &str, call: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        anyhow!("a fault in this program ({text}); please report it{with}")
    })
}

/// Hands out indices in order, never more than `ahead` past the last one that was handed over.
struct Queue {
    len: usize,
    ahead: usize,
    place: Mutex<Place>,
    moved: Condvar,
}

#[derive(Default)]
struct Place {
    taken: usize,
    handed_over: usize,
    closed: bool,
}

impl Queue {
    fn new(len: usize, ahead: usize) -> Self {
        Self { len, ahead, place: Mutex::default(), moved: Condvar::new() }
    }

    fn take(&self) -> Option<usize> {
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |p: &mut Place| !p.closed && p.taken < self.len && p.taken >= p.handed_over + self.ahead;
        let mut place = self.moved.wait_while(place, full).unwrap_or_else(PoisonError::into_inner);
        if place.closed || place.taken >= self.len {
            return None;
        }
        place.taken += 1;
        Some(place.taken - 1)
    }

    fn handed_over(&self) {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).handed_over += 1;
        self.moved.notify_all();
    }
}

/// Closes the queue on every way out, so that threads that wait for a place leave too.
struct Closing<'a>(&'a Queue);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.place.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.0.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_come_in_the_order_of_the_list() {
        let items: Vec<u64> = (0..500).collect();
        for threads in [1, 2, 7, 1000] {
            let mut seen = Vec::new();
            let slow_first = |_: &mut (), i: &u64| {
                std::thread::sleep(std::time::Duration::from_micros(if i.is_multiple_of(50) { 2000 } else { 10 }));
                i * 2
            };
            in_order(
                &items,
                threads,
                || Ok(()),
                slow_first,
                |_, r| {
                    seen.push(r?);
                    Ok(())
                },
            )
            .unwrap();
            assert_eq!(seen, items.iter().map(|i| i * 2).collect::<Vec<_>>(), "{threads} threads");
        }
    }

    #[test]
    fn work_never_runs_far_ahead_of_what_was_handed_over() {
        let items = vec![(); 300];
        let (begun, mut ended, mut most) = (AtomicUsize::new(0), 0, 0);
        let work = |_: &mut (), _: &()| begun.fetch_add(1, Ordering::SeqCst);
        in_order(
            &items,
            3,
            || Ok(()),
            work,
            |_, _| {
                std::thread::sleep(std::time::Duration::from_micros(100));
                most = most.max(begun.load(Ordering::SeqCst) - ended);
                ended += 1;
                Ok(())
            },
        )
        .unwrap();
        assert!(most <= 3 * AHEAD_PER_THREAD + 1, "{most}");
    }

    #[test]
    fn a_panic_is_the_error_of_its_item_alone() {
        let items: Vec<usize> = (0..40).collect();
        let mut faults = Vec::new();
        let work = |_: &mut (), &i: &usize| assert!(i != 17, "seventeen");
        in_order(
            &items,
            2,
            || Ok(()),
            work,
            |&i, r| {
                faults.extend(r.err().map(|e| (i, e.to_string())));
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].0 == 17 && faults[0].1.contains("seventeen"), "{faults:?}");
    }

    #[test]
    fn a_panic_of_the_start_ends_the_work() {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let items = [0; 100];
            let ended = in_order(&items, 2, || -> Result<()> { panic!("no memory") }, |(), i| *i, |_, _| Ok(()));
            let _ = sender.send(ended.unwrap_err().to_string());
        });
        // Where a thread ends without a message the others wait for ever.
        let error = receiver.recv_timeout(std::time::Duration::from_secs(20)).expect("the work ends");
        assert!(error.contains("no memory") && error.contains("please report it"), "{error}");
    }

    #[test]
    fn an_error_of_the_receiver_or_of_the_start_ends_the_work() {
        let items = vec![0; 10_000];
        let stop = in_order(&items, 3, || Ok(()), |_, i| *i, |_, _| Err(anyhow!("enough")));
        assert_eq!(stop.unwrap_err().to_string(), "enough");
        let stop = in_order(&items, 3, || Err::<(), _>(anyhow!("no model")), |_, i| *i, |_, _| Ok(()));
        assert_eq!(stop.unwrap_err().to_string(), "no model");
        in_order(&[0; 0], 3, || Ok(()), |_, i: &i32| *i, |_, _| Ok(())).unwrap();
    }
}
