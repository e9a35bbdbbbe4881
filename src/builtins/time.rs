//! `time`: clocks, sleeping, and calendar times of the system's time zone.

use super::structs::StructType;
use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::value::{Int, Res, Tuple, Value};
use std::ffi::{CStr, CString};
use std::time::Duration;

pub static MODULE: NativeModule = NativeModule {
    name: "time",
    doc: "Clocks, sleeping and calendar times. All times are in seconds.",
    functions: &[
        Native {
            name: "time",
            params: "",
            run: |c| seconds(c, libc::CLOCK_REALTIME),
            doc: "Seconds since 1970, UTC.",
        },
        Native {
            name: "time_ns",
            params: "",
            run: |c| nanoseconds(c, libc::CLOCK_REALTIME),
            doc: "Nanoseconds since 1970, UTC.",
        },
        Native {
            name: "monotonic",
            params: "",
            run: |c| seconds(c, libc::CLOCK_MONOTONIC),
            doc: "Seconds of a clock that never goes back.",
        },
        Native {
            name: "monotonic_ns",
            params: "",
            run: |c| nanoseconds(c, libc::CLOCK_MONOTONIC),
            doc: "Nanoseconds of a clock that never goes back.",
        },
        Native {
            name: "perf_counter",
            params: "",
            run: |c| seconds(c, libc::CLOCK_MONOTONIC),
            doc: "Seconds of the most precise clock.",
        },
        Native {
            name: "perf_counter_ns",
            params: "",
            run: |c| nanoseconds(c, libc::CLOCK_MONOTONIC),
            doc: "Nanoseconds of the most precise clock.",
        },
        Native {
            name: "process_time",
            params: "",
            run: |c| seconds(c, libc::CLOCK_PROCESS_CPUTIME_ID),
            doc: "Seconds of processor time this process has used.",
        },
        Native {
            name: "process_time_ns",
            params: "",
            run: |c| nanoseconds(c, libc::CLOCK_PROCESS_CPUTIME_ID),
            doc: "Nanoseconds of processor time this process has used.",
        },
        Native {
            name: "thread_time",
            params: "",
            run: |c| seconds(c, libc::CLOCK_THREAD_CPUTIME_ID),
            doc: "Seconds of processor time this thread has used.",
        },
        Native {
            name: "sleep",
            params: "seconds, /",
            run: sleep,
            doc: "Waits so many seconds. Ctrl-C ends the wait.",
        },
        Native {
            name: "localtime",
            params: "seconds=None, /",
            run: localtime,
            doc: "The local calendar time, now or at `seconds`.",
        },
        Native {
            name: "gmtime",
            params: "seconds=None, /",
            run: gmtime,
            doc: "The calendar time in UTC, now or at `seconds`.",
        },
        Native {
            name: "mktime",
            params: "tuple, /",
            run: mktime,
            doc: "Seconds since 1970 of a local calendar time.",
        },
        Native {
            name: "strftime",
            params: "format, tuple=None, /",
            run: format,
            doc: "A calendar time as text: `%Y-%m-%d %H:%M:%S` and the like.",
        },
        Native {
            name: "asctime",
            params: "tuple=None, /",
            run: asctime,
            doc: "A calendar time such as `Sat Jun  6 16:26:11 1998`.",
        },
        Native { name: "ctime", params: "seconds=None, /", run: ctime, doc: "`asctime(localtime(seconds))`" },
        Native {
            name: "tzset",
            params: "",
            run: reset_zone,
            doc: "Reads the time zone from the environment again.",
        },
    ],
    constants: &[
        ("timezone", |_| Value::int(zone().0)),
        ("_STRUCT_TM_ITEMS", |_| Value::int(11)),
        ("altzone", |_| Value::int(zone().1)),
        ("daylight", |_| Value::int((zone().0 != zone().1) as i64)),
        ("tzname", |_| {
            let (_, _, names) = zone();
            Value::tuple(names.iter().map(Value::str).collect())
        }),
        ("strptime", |vm| super::in_zpy(vm, "_time", "strptime")),
        ("struct_time", |vm| vm.struct_class(&STRUCT_TIME).map_or(Value::NONE, Value::from)),
        ("CLOCK_REALTIME", |_| Value::int(libc::CLOCK_REALTIME as i64)),
        ("CLOCK_MONOTONIC", |_| Value::int(libc::CLOCK_MONOTONIC as i64)),
    ],
};

static STRUCT_TIME: StructType = StructType {
    module: "time",
    name: "struct_time",
    fields: &[
        "tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst",
    ],
    hidden: &[],
    more: 2,
};

/// How many numbers a calendar time has.
const ITEMS: usize = 9;

unsafe extern "C" {
    fn tzset();
    fn strftime(
        out: *mut libc::c_char,
        size: usize,
        format: *const libc::c_char,
        tm: *const libc::tm,
    ) -> usize;
}

fn clock(which: libc::clockid_t) -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is valid for writing; these clocks exist everywhere.
    unsafe { libc::clock_gettime(which, &mut now) };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn seconds(_: &mut Call, which: libc::clockid_t) -> Res {
    Ok(Value::float(clock(which).as_nanos() as f64 / 1e9))
}

fn nanoseconds(_: &mut Call, which: libc::clockid_t) -> Res {
    Ok(Value::int(clock(which).as_nanos() as i64))
}

fn sleep(call: &mut Call) -> Res {
    let value = call.arg(0);
    let seconds = match value.as_float() {
        Some(seconds) => seconds,
        None => {
            let int = call.vm.to_int_value(value)?;
            call.vm.to_float(&int)?
        }
    };
    if seconds.is_nan() {
        return Err(call.vm.value_error("Invalid value NaN (not a number)"));
    }
    if seconds < 0.0 {
        return Err(call.vm.value_error("sleep length must be non-negative"));
    }
    let Ok(duration) = Duration::try_from_secs_f64(seconds) else {
        return Err(call.vm.overflow_error("timestamp out of range for platform time_t"));
    };
    super::mp::sleep_for(call.vm, duration)
}

/// The time an optional argument means: now if it is absent or none.
fn moment(call: &mut Call, index: usize) -> Res<libc::time_t> {
    let Some(value) = call.opt_not_none(index) else {
        return Ok(clock(libc::CLOCK_REALTIME).as_secs() as libc::time_t);
    };
    if let Some(float) = value.as_float() {
        if float.is_nan() {
            return Err(call.vm.value_error("Invalid value NaN (not a number)"));
        }
        if float.abs() < 9e18 {
            return Ok(float.floor() as libc::time_t);
        }
        return Err(call.vm.overflow_error("timestamp out of range for platform time_t"));
    }
    let int = call.vm.to_int_value(value)?;
    match Int::of(&int).and_then(|int| int.to_i64()) {
        Some(seconds) => Ok(seconds),
        None => Err(call.vm.overflow_error("timestamp out of range for platform time_t")),
    }
}

type Convert = unsafe extern "C" fn(*const libc::time_t, *mut libc::tm) -> *mut libc::tm;

fn calendar(vm: &mut Vm, seconds: libc::time_t, convert: Convert) -> Res<libc::tm> {
    // SAFETY: all-zero bytes are a valid `tm`, whose pointer may be null.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are valid; the functions keep neither.
    if unsafe { convert(&seconds, &mut tm) }.is_null() {
        return Err(vm.overflow_error("timestamp out of range for platform time_t"));
    }
    Ok(tm)
}

fn struct_time(vm: &mut Vm, tm: &libc::tm) -> Res {
    let numbers = [
        tm.tm_year as i64 + 1900,
        tm.tm_mon as i64 + 1,
        tm.tm_mday as i64,
        tm.tm_hour as i64,
        tm.tm_min as i64,
        tm.tm_sec as i64,
        (tm.tm_wday as i64 + 6) % 7,
        tm.tm_yday as i64 + 1,
        tm.tm_isdst as i64,
    ];
    let made = vm.struct_value(&STRUCT_TIME, numbers.map(Value::int).to_vec())?;
    let zone = if tm.tm_zone.is_null() {
        String::new()
    } else {
        // SAFETY: the C library points at a text that lives as long as the time zone is set.
        unsafe { CStr::from_ptr(tm.tm_zone) }.to_string_lossy().into_owned()
    };
    let zone_name = vm.intern("tm_zone");
    let offset_name = vm.intern("tm_gmtoff");
    made.attributes().set_str(&zone_name, Value::str(zone));
    made.attributes().set_str(&offset_name, Value::int(tm.tm_gmtoff));
    Ok(made.into())
}

fn localtime(call: &mut Call) -> Res {
    let seconds = moment(call, 0)?;
    // SAFETY: reads the environment; the process has one thread.
    unsafe { tzset() };
    let tm = calendar(call.vm, seconds, libc::localtime_r)?;
    struct_time(call.vm, &tm)
}

fn gmtime(call: &mut Call) -> Res {
    let seconds = moment(call, 0)?;
    let tm = calendar(call.vm, seconds, libc::gmtime_r)?;
    struct_time(call.vm, &tm)
}

/// The `tm` of a tuple with nine numbers; the local time now if the argument is absent.
fn tm_argument(call: &mut Call, index: usize) -> Res<libc::tm> {
    let Some(value) = call.opt(index) else {
        let now = clock(libc::CLOCK_REALTIME).as_secs() as libc::time_t;
        return calendar(call.vm, now, libc::localtime_r);
    };
    let Some(items) = Vm::unwrap_native(value).get::<Tuple>() else {
        return Err(call.vm.type_error("Tuple or struct_time argument required"));
    };
    if items.len() < ITEMS {
        let name = call.native.name;
        return Err(call.vm.type_error(format!("{name}(): illegal time tuple argument")));
    }
    let mut n = [0i32; ITEMS];
    for (slot, item) in n.iter_mut().zip(items.items()) {
        *slot = super::sys::descriptor(call.vm, item)?;
    }
    // SAFETY: all-zero bytes are a valid `tm`.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    tm.tm_year = n[0].saturating_sub(1900);
    tm.tm_mon = n[1].saturating_sub(1);
    tm.tm_mday = n[2];
    (tm.tm_hour, tm.tm_min, tm.tm_sec) = (n[3], n[4], n[5]);
    tm.tm_wday = n[6].saturating_add(1).rem_euclid(7);
    tm.tm_yday = n[7].saturating_sub(1);
    tm.tm_isdst = n[8].signum();
    Ok(tm)
}

/// Refuses numbers that have no text.
fn check(call: &mut Call, tm: &mut libc::tm) -> Res<()> {
    // Zero means the first, as in Python.
    if tm.tm_mon == -1 {
        tm.tm_mon = 0;
    }
    if tm.tm_mday == 0 {
        tm.tm_mday = 1;
    }
    if tm.tm_yday == -1 {
        tm.tm_yday = 0;
    }
    let wrong = match tm {
        _ if !(0..12).contains(&tm.tm_mon) => "month",
        _ if !(1..=31).contains(&tm.tm_mday) => "day of month",
        _ if !(0..24).contains(&tm.tm_hour) => "hour",
        _ if !(0..60).contains(&tm.tm_min) => "minute",
        _ if !(0..=61).contains(&tm.tm_sec) => "seconds",
        _ if !(0..=365).contains(&tm.tm_yday) => "day of year",
        _ => return Ok(()),
    };
    Err(call.vm.value_error(format!("{wrong} out of range")))
}

fn mktime(call: &mut Call) -> Res {
    let mut tm = tm_argument(call, 0)?;
    tm.tm_wday = -1;
    // SAFETY: `tm` is valid for reading and writing.
    let seconds = unsafe { libc::mktime(&mut tm) };
    if seconds == -1 && tm.tm_wday == -1 {
        return Err(call.vm.overflow_error("mktime argument out of range"));
    }
    Ok(Value::float(seconds as f64))
}

fn format(call: &mut Call) -> Res {
    let format = call.str(0)?;
    let mut tm = tm_argument(call, 1)?;
    check(call, &mut tm)?;
    fill_zone(&mut tm);
    if format.is_empty() {
        return Ok(Value::str(""));
    }
    let Ok(format) = CString::new(format) else { return Err(call.vm.value_error("embedded null character")) };
    let mut size = 256;
    loop {
        let mut out = vec![0u8; size];
        // SAFETY: `out` has `size` bytes; the texts end with a null byte.
        let written = unsafe { strftime(out.as_mut_ptr().cast(), size, format.as_ptr(), &tm) };
        // Nothing written means too small, or that the result is empty.
        if written > 0 || size > 256 * format.as_bytes().len().max(4) {
            out.truncate(written);
            return Ok(Value::str(String::from_utf8_lossy(&out)));
        }
        size *= 2;
    }
}

/// Gives a `tm` made of numbers the zone that `%Z` and `%z` show.
fn fill_zone(tm: &mut libc::tm) {
    if !tm.tm_zone.is_null() {
        return;
    }
    let mut copy = *tm;
    // SAFETY: `copy` is valid for reading and writing; the zone's text outlives it.
    unsafe { libc::mktime(&mut copy) };
    tm.tm_zone = copy.tm_zone;
    tm.tm_gmtoff = copy.tm_gmtoff;
}

fn text(tm: &libc::tm) -> Value {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    Value::str(format!(
        "{} {}{:3} {:02}:{:02}:{:02} {}",
        DAYS[tm.tm_wday.rem_euclid(7) as usize],
        MONTHS[tm.tm_mon.rem_euclid(12) as usize],
        tm.tm_mday,
        tm.tm_hour,
        tm.tm_min,
        tm.tm_sec,
        tm.tm_year as i64 + 1900
    ))
}

fn asctime(call: &mut Call) -> Res {
    let mut tm = tm_argument(call, 0)?;
    check(call, &mut tm)?;
    Ok(text(&tm))
}

fn ctime(call: &mut Call) -> Res {
    let seconds = moment(call, 0)?;
    let tm = calendar(call.vm, seconds, libc::localtime_r)?;
    Ok(text(&tm))
}

fn reset_zone(_: &mut Call) -> Res {
    // SAFETY: reads the environment; the process has one thread.
    unsafe { tzset() };
    Ok(Value::NONE)
}

/// Seconds west of UTC in winter and in summer, and the names of both.
fn zone() -> (i64, i64, [String; 2]) {
    let now = clock(libc::CLOCK_REALTIME).as_secs() as libc::time_t;
    const HALF_YEAR: libc::time_t = 182 * 24 * 3600;
    let at = |seconds: libc::time_t| {
        // SAFETY: as in `calendar`.
        let mut tm: libc::tm = unsafe { std::mem::zeroed() };
        unsafe { libc::localtime_r(&seconds, &mut tm) };
        let name = if tm.tm_zone.is_null() {
            String::new()
        } else {
            // SAFETY: as in `struct_time`.
            unsafe { CStr::from_ptr(tm.tm_zone) }.to_string_lossy().into_owned()
        };
        (tm.tm_isdst > 0, -tm.tm_gmtoff, name)
    };
    let (one, other) = (at(now), at(now - HALF_YEAR));
    let (winter, summer) = if one.0 { (other, one) } else { (one, other) };
    (winter.1, summer.1, [winter.2, summer.2])
}
