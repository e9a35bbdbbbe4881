//! What starting a child costs, also from a big process, and how fast its output is collected. Prints
//! only. `std::process` runs beside it in the same rounds, because machines drift.

use std::hint::black_box;
use std::process::Stdio;
use std::time::{Duration, Instant};

use zpy::mp::{self, Command, Never};

const ROUNDS: usize = 300;
const BIG: usize = 512 << 20;

fn main() {
    starts("small parent");
    let mut big = vec![1u8; BIG];
    for page in big.chunks_mut(4096) {
        page[0] = black_box(2);
    }
    starts("512 MB parent");
    black_box(&big);
    drop(big);
    captures();
}

fn starts(parent: &str) {
    let mut times: [Vec<Duration>; 4] = Default::default();
    let [started, waited, by_std, forked] = &mut times;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let child = mp::spawn(Command::program("/bin/true", [""; 0])).unwrap();
        started.push(begin.elapsed());
        mp::wait(child.handle, None, &mut Never).unwrap();
        waited.push(begin.elapsed());

        let begin = Instant::now();
        std::process::Command::new("/bin/true").status().unwrap();
        by_std.push(begin.elapsed());
    }
    // Apart from the others: after a fork the parent must take its pages back one by one.
    for _ in 0..ROUNDS / 10 {
        let begin = Instant::now();
        // SAFETY: the child leaves at once.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // SAFETY: ends the process.
            unsafe { libc::_exit(0) };
        }
        forked.push(begin.elapsed());
        let handle = mp::adopt(pid as u32, mp::Kind::Worker, "fork").unwrap();
        mp::wait(handle, None, &mut Never).unwrap();
    }
    let [started, waited, by_std, forked] = times.map(median);
    println!(
        "{parent:14} start {started:6.0} us, start and wait {waited:6.0} us, std start and wait {by_std:6.0} us, \
         bare fork for comparison {forked:6.0} us"
    );
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn captures() {
    for (name, script, bytes) in [
        ("one stream", "head -c 200000000 /dev/zero", 2e8),
        ("both streams", "head -c 100000000 /dev/zero & head -c 100000000 /dev/zero >&2; wait", 2e8),
    ] {
        for _ in 0..3 {
            let begin = Instant::now();
            let output = mp::run(Command::program("/bin/sh", ["-c", script]), &mut Never).unwrap();
            let ours = begin.elapsed();
            assert_eq!(output.output.len() as f64, bytes);
            drop(output);
            let begin = Instant::now();
            let mut peer = std::process::Command::new("/bin/sh");
            drop(peer.args(["-c", script]).stdin(Stdio::null()).output().unwrap());
            let theirs = begin.elapsed();
            let speed = |time: Duration| bytes / 1e6 / time.as_secs_f64();
            println!("{name:14} mp {:6.0} MB/s, std {:6.0} MB/s", speed(ours), speed(theirs));
        }
    }
}
