use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::{Arc, Condvar, Mutex};

use damon_sys as sys;

use crate::lock::lock;

/// The simulator's handle and who uses it. Freed with its last user, contexts included.
pub(crate) struct Machine {
    pub(crate) sim: NonNull<sys::damon_sim>,
    user: Mutex<User>,
    left: Condvar,
}

/// The thread that uses the machine (0: none), and how many times over.
#[derive(Default)]
struct User {
    thread: usize,
    depth: u32,
}

// Safety: damon_c.h asks that no step runs while the simulator is used; `user` sees to it.
unsafe impl Send for Machine {}
unsafe impl Sync for Machine {}

impl Drop for Machine {
    fn drop(&mut self) {
        // Safety: no context has it any more.
        unsafe { sys::damon_sim_free(self.sim.as_ptr()) }
    }
}

impl Machine {
    /// Safety: the handle is given up.
    pub(crate) unsafe fn new(sim: NonNull<sys::damon_sim>) -> Self {
        Machine { sim, user: Mutex::default(), left: Condvar::new() }
    }
}

/// The machine is this thread's until this is dropped; also several times over, as callbacks of a step may use it.
pub(crate) struct Occupied(Arc<Machine>);

thread_local! {
    static PLACE: Cell<u8> = const { Cell::new(0) };
}

/// A number that no other living thread has.
fn this_thread() -> usize {
    PLACE.with(|place| place as *const Cell<u8> as usize)
}

impl Occupied {
    pub(crate) fn new(machine: Arc<Machine>) -> Self {
        let mut user = lock(&machine.user);
        while user.depth > 0 && user.thread != this_thread() {
            user = machine.left.wait(user).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        user.thread = this_thread();
        user.depth += 1;
        drop(user);
        Occupied(machine)
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        let mut user = lock(&self.0.user);
        user.depth -= 1;
        if user.depth == 0 {
            self.0.left.notify_one();
        }
    }
}
