//! `_select`: waiting for descriptors, by `poll` and `epoll`. `stdlib/select.zpy` makes of it what scripts know.
//!
//! Waits are those of `crate::mp`: signal handlers of the script run meanwhile and the wait goes on afterwards.

use super::mp::OnInterrupt;
use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::mp;
use crate::value::{Raised, Res, Value};
use std::io;
use std::time::Duration;

macro_rules! table {
    ($($name:ident)*; $($epoll:ident)*) => {
        pub static MODULE: NativeModule = NativeModule {
            name: "_select",
            doc: "Waiting for descriptors; `select` is the module to import.",
            functions: FUNCTIONS,
            constants: &[
                $((stringify!($name), |_| Value::int(libc::$name as i64)),)*
                $(#[cfg(target_os = "linux")]
                (stringify!($epoll), |_| Value::int(libc::$epoll as u32 as i64)),)*
            ],
        };
    };
}

table! {
    POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL POLLRDNORM POLLRDBAND POLLWRNORM POLLWRBAND;
    POLLRDHUP EPOLLIN EPOLLOUT EPOLLPRI EPOLLERR EPOLLHUP EPOLLRDHUP EPOLLET EPOLLONESHOT EPOLLEXCLUSIVE EPOLLRDNORM
    EPOLLRDBAND EPOLLWRNORM EPOLLWRBAND EPOLLMSG EPOLL_CLOEXEC EPOLL_CTL_ADD EPOLL_CTL_DEL EPOLL_CTL_MOD
}

const FUNCTIONS: &[Native] = &[
    Native {
        name: "poll",
        params: "wanted, timeout, /",
        run: poll,
        doc: "Waits for pairs of a descriptor and a mask of events. A list of the pairs of those that have any; empty after `timeout` seconds.",
    },
    #[cfg(target_os = "linux")]
    Native {
        name: "epoll_create",
        params: "",
        run: epoll::create,
        doc: "The descriptor of a new set of descriptors to wait for.",
    },
    #[cfg(target_os = "linux")]
    Native {
        name: "epoll_control",
        params: "epoll, operation, fd, events, /",
        run: epoll::control,
        doc: "Adds, changes or removes a descriptor.",
    },
    #[cfg(target_os = "linux")]
    Native {
        name: "epoll_wait",
        params: "epoll, most, timeout, /",
        run: epoll::wait,
        doc: "Waits for events: a list of at most so many pairs, empty after `timeout` seconds.",
    },
];

/// Seconds; none for no end.
fn timeout(call: &mut Call, index: usize) -> Res<Option<Duration>> {
    if call.opt_not_none(index).is_none() {
        return Ok(None);
    }
    let seconds = call.float(index)?.max(0.0);
    Ok(Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)))
}

/// Waits for events; how many descriptors have any.
fn await_events(vm: &mut Vm, wanted: &mut [libc::pollfd], timeout: Option<Duration>) -> Res<usize> {
    vm.flush_if_terminal()?;
    match mp::poll_events(wanted, timeout, &mut OnInterrupt::new(vm)) {
        Ok(Ok(count)) => Ok(count),
        Ok(Err(error)) => Err(vm.os_error(&error, None)),
        Err(_) => Err(Raised),
    }
}

fn pair(descriptor: i32, events: u32) -> Value {
    Value::tuple(vec![Value::int(descriptor.into()), Value::int(events.into())])
}

fn poll(call: &mut Call) -> Res {
    let mut wanted = Vec::new();
    for item in call.items(0)? {
        let parts = call.vm.collect(&item)?;
        if let [descriptor, events] = parts.as_slice() {
            let (fd, events) = (call.vm.c_int(descriptor)?, call.vm.c_int(events)? as i16);
            wanted.push(libc::pollfd { fd, events, revents: 0 });
        }
    }
    let timeout = timeout(call, 1)?;
    await_events(call.vm, &mut wanted, timeout)?;
    let ready = wanted.iter().filter(|entry| entry.revents != 0);
    Ok(Value::list(ready.map(|entry| pair(entry.fd, entry.revents as u16 as u32)).collect()))
}

#[cfg(target_os = "linux")]
mod epoll {
    use super::*;

    pub fn create(call: &mut Call) -> Res {
        // SAFETY: makes a descriptor.
        let made = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        number(call.vm, made)
    }

    fn number(vm: &mut Vm, result: i32) -> Res {
        match result {
            0.. => Ok(Value::int(result.into())),
            _ => Err(vm.os_error(&io::Error::last_os_error(), None)),
        }
    }

    pub fn control(call: &mut Call) -> Res {
        let (epoll, operation, descriptor) = (call.c_int(0)?, call.c_int(1)?, call.c_int(2)?);
        let mut event = libc::epoll_event { events: call.int(3)? as u32, u64: descriptor as u64 };
        // SAFETY: the event is valid; bad descriptors are reported.
        let result = unsafe { libc::epoll_ctl(epoll, operation, descriptor, &mut event) };
        number(call.vm, result)?;
        Ok(Value::NONE)
    }

    pub fn wait(call: &mut Call) -> Res {
        let (epoll, most) = (call.c_int(0)?, call.c_int(1)?.max(1));
        let timeout = timeout(call, 2)?;
        // The set can be waited for as any descriptor, which signals may interrupt safely.
        let mut wanted = [libc::pollfd { fd: epoll, events: libc::POLLIN, revents: 0 }];
        await_events(call.vm, &mut wanted, timeout)?;
        let none = libc::epoll_event { events: 0, u64: 0 };
        let mut events = vec![none; most as usize];
        // SAFETY: there is room for `most` events.
        let count = unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), most, 0) };
        if count < 0 {
            return Err(call.vm.os_error(&io::Error::last_os_error(), None));
        }
        let ready = events.iter().take(count as usize);
        Ok(Value::list(ready.map(|event| pair(event.u64 as i32, event.events)).collect()))
    }
}
