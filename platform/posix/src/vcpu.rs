//! The one virtual CPU: a lock that is handed over in the order in which it was asked for.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

struct Tickets {
    next: u64,
    serving: u64,
}

static TICKETS: Mutex<Tickets> = Mutex::new(Tickets { next: 0, serving: 0 });
static CHANGED: Condvar = Condvar::new();

fn tickets() -> MutexGuard<'static, Tickets> {
    TICKETS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place in the line for the virtual CPU; whoever makes one sees to it that it is waited for.
pub(crate) struct Ticket(u64);

/// Takes a place in the line, for the calling thread or for one that it wakes.
pub(crate) fn line_up() -> Ticket {
    let mut tickets = tickets();
    tickets.next += 1;
    Ticket(tickets.next - 1)
}

/// Waits until it is the ticket's turn, and then holds the virtual CPU.
pub(crate) fn wait_for(ticket: Ticket) {
    let mut tickets = tickets();
    while tickets.serving != ticket.0 {
        tickets = CHANGED.wait(tickets).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Gives the virtual CPU to the next who asked.
pub(crate) fn release() {
    tickets().serving += 1;
    CHANGED.notify_all();
}
