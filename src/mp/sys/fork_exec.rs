//! Starting a program with a fork and `exec`, for those who want to say everything about the new process: its session,
//! user, mask of permissions, descriptors, even a function to run in it first.
//!
//! The fork is one that copies nothing where that can be (`clone_of_this`), because copying the page tables of a large
//! interpreter takes much longer than the start of a program. What the child needs is made before; between fork and exec
//! it only makes system calls that are safe there, apart from the function, which the caller vouches for. What goes wrong in the child travels through a pipe that
//! closes when the program begins: the stage that failed and the system's number for the reason.

use std::ffi::{CStr, CString, OsString};
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsRawFd, RawFd};

use super::start::{Block, c_string};
use super::unix::check;

/// A program to start, and everything about the process it runs in.
pub struct ForkExec<'a> {
    /// Paths to try in this order.
    pub programs: Vec<OsString>,
    pub args: Vec<OsString>,
    /// `NAME=value`
    pub env: Vec<OsString>,
    pub cwd: Option<OsString>,
    /// What becomes descriptor 0, 1 and 2; `None` stays what it is here.
    pub streams: [Option<RawFd>; 3],
    /// Whether descriptors above 2 that would stay open are closed.
    pub close: bool,
    /// Descriptors that stay open, sorted.
    pub keep: Vec<RawFd>,
    /// SIGPIPE and SIGXFSZ at their default.
    pub restore_signals: bool,
    pub new_session: bool,
    pub group: Option<libc::pid_t>,
    pub groups: Option<Vec<libc::gid_t>>,
    pub gid: Option<libc::gid_t>,
    pub uid: Option<libc::uid_t>,
    pub umask: Option<libc::mode_t>,
    /// Runs in the child last, and may give another environment; `None` gives up.
    pub before: Option<&'a mut dyn FnMut() -> Option<Vec<OsString>>>,
}

/// How far the child came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Descriptors, signals, user.
    Prepare,
    ChangeDirectory,
    /// The function that the caller wanted to run.
    Before,
    Exec,
}

/// Why there is no new program.
#[derive(Debug)]
pub enum NotStarted {
    /// There is no child at all.
    Here(io::Error),
    InChild(Stage, io::Error),
}

impl From<io::Error> for NotStarted {
    fn from(error: io::Error) -> NotStarted {
        NotStarted::Here(error)
    }
}

/// Starts the program; the pid of the child, which is not in the table yet.
pub fn fork_exec(mut wanted: ForkExec<'_>) -> Result<u32, NotStarted> {
    let bytes = |text: OsString| std::os::unix::ffi::OsStringExt::into_vec(text);
    let programs = std::mem::take(&mut wanted.programs);
    let programs = programs.into_iter().map(|text| c_string(bytes(text))).collect::<io::Result<Vec<_>>>()?;
    let args = Block::new(std::mem::take(&mut wanted.args).into_iter().map(bytes))?;
    let env = Block::new(std::mem::take(&mut wanted.env).into_iter().map(bytes))?;
    let cwd = wanted.cwd.take().map(|text| c_string(bytes(text))).transpose()?;
    let (reader, writer) = io::pipe()?;
    let report = clear_of_standard(writer.as_raw_fd())?;

    let signals = Signals::block();
    // Changing users may involve more memory of the C library than the child may touch.
    let must_copy = wanted.before.is_some() || wanted.groups.is_some() || wanted.gid.or(wanted.uid).is_some();
    let mut child = Child { wanted: &mut wanted, cwd, report, signals: &signals, programs, args, env };
    let pid = if must_copy { copy_of_this(&mut child) } else { clone_of_this(&mut child) };
    let error = io::Error::last_os_error();
    drop(signals);
    drop(writer);
    close(report);
    if pid < 0 {
        return Err(NotStarted::Here(error));
    }
    match heard(reader) {
        None => Ok(pid as u32),
        Some((stage, number)) => {
            collect(pid);
            Err(NotStarted::InChild(stage, io::Error::from_raw_os_error(number)))
        }
    }
}

/// Everything that the child works with.
struct Child<'a, 'b> {
    wanted: &'a mut ForkExec<'b>,
    cwd: Option<CString>,
    report: RawFd,
    signals: &'a Signals,
    programs: Vec<CString>,
    args: Block,
    env: Block,
}

impl Child<'_, '_> {
    /// In the child: becomes the program, or tells why not.
    fn run(&mut self) -> ! {
        let (stage, number) = match prepare(self.wanted, self.cwd.as_deref(), self.report, self.signals) {
            Err((stage, error)) => (stage, error.raw_os_error().unwrap_or(0)),
            Ok(changed) => {
                (Stage::Exec, begin(&self.programs, &self.args, changed.as_ref().unwrap_or(&self.env)))
            }
        };
        tell(self.report, stage, number)
    }
}

/// A child that is a copy of this process; its pid, or -1.
fn copy_of_this(child: &mut Child<'_, '_>) -> libc::pid_t {
    // SAFETY: the child only runs `Child::run`, which makes system calls and calls the function of the caller.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        child.run();
    }
    pid
}

/// A child that uses the memory of this process, which sleeps until the program begins; its pid, or -1.
#[cfg(target_os = "linux")]
fn clone_of_this(child: &mut Child<'_, '_>) -> libc::pid_t {
    /// Far more than the calls of the child need.
    const STACK: usize = 256 << 10;
    extern "C" fn enter(child: *mut libc::c_void) -> libc::c_int {
        // SAFETY: the pointer is that of `clone_of_this`, which sleeps meanwhile.
        unsafe { (*child.cast::<Child<'_, '_>>()).run() }
    }
    let mut stack = vec![0u128; STACK / size_of::<u128>()];
    let top = stack.as_mut_ptr_range().end;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the stack is the child's alone, aligned, and outlives it: this process goes on when the child has left
    // the common memory. Signals are held back, so no handler runs in the child; its calls allocate nothing, and it has
    // descriptors, handlers and folders of its own.
    unsafe { libc::clone(enter, top.cast(), flags, std::ptr::from_mut(child).cast()) }
}

#[cfg(not(target_os = "linux"))]
fn clone_of_this(child: &mut Child<'_, '_>) -> libc::pid_t {
    copy_of_this(child)
}

/// All signals held back; dropping lets them in again.
struct Signals(libc::sigset_t);

impl Signals {
    fn block() -> Signals {
        // SAFETY: all zero is a valid place for a set; both are filled in before they are read.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
            Signals(before)
        }
    }

    fn restore(&self) {
        // SAFETY: the set was filled in by `block`.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut()) };
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.restore();
    }
}

/// In the child: sends the news and ends.
fn tell(report: RawFd, stage: Stage, number: i32) -> ! {
    let mut news = [0u8; 5];
    news[0] = stage as u8;
    news[1..].copy_from_slice(&number.to_ne_bytes());
    // SAFETY: `news` has five bytes, which a pipe takes in one piece; the process ends without running anything.
    unsafe {
        libc::write(report, news.as_ptr().cast(), news.len());
        libc::_exit(255)
    }
}

/// What the child sent; `None` if the program runs.
fn heard(mut reader: PipeReader) -> Option<(Stage, i32)> {
    let mut news = [0u8; 5];
    // An end of file before five bytes means that nothing was sent.
    reader.read_exact(&mut news).ok()?;
    let stage = match news[0] {
        0 => Stage::Prepare,
        1 => Stage::ChangeDirectory,
        2 => Stage::Before,
        _ => Stage::Exec,
    };
    Some((stage, i32::from_ne_bytes([news[1], news[2], news[3], news[4]])))
}

/// Waits for a child that is about to end.
fn collect(pid: libc::pid_t) {
    let mut status = 0;
    // SAFETY: there is a place for the status.
    while unsafe { libc::waitpid(pid, &mut status, 0) } == -1
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
}

fn close(descriptor: RawFd) {
    // SAFETY: the descriptor was made by `clear_of_standard`, and nobody else knows it.
    unsafe { libc::close(descriptor) };
}

/// A copy with a number above 2, which no stream of the child takes away.
fn clear_of_standard(descriptor: RawFd) -> io::Result<RawFd> {
    // SAFETY: makes a new descriptor; a bad one is reported.
    let copy = unsafe { libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 3) };
    check(copy).map(|()| copy)
}

type Failure = (Stage, io::Error);

fn at(stage: Stage) -> impl Fn(io::Error) -> Failure {
    move |error| (stage, error)
}

/// In the child: makes the process what was asked for. The environment, if the function has changed it.
fn prepare(
    wanted: &mut ForkExec<'_>,
    cwd: Option<&CStr>,
    report: RawFd,
    signals: &Signals,
) -> Result<Option<Block>, Failure> {
    let failed = at(Stage::Prepare);
    for &descriptor in &wanted.keep {
        // SAFETY: changes a flag of a descriptor; a bad one is reported.
        check(unsafe { libc::fcntl(descriptor, libc::F_SETFD, 0) }).map_err(&failed)?;
    }
    place_streams(wanted.streams).map_err(&failed)?;
    if let Some(cwd) = cwd {
        // SAFETY: the text ends with a null byte.
        check(unsafe { libc::chdir(cwd.as_ptr()) }).map_err(at(Stage::ChangeDirectory))?;
    }
    if let Some(mask) = wanted.umask {
        // SAFETY: no memory is involved; so in what follows.
        unsafe { libc::umask(mask) };
    }
    reset_handlers(wanted.restore_signals);
    if wanted.new_session {
        check(unsafe { libc::setsid() }).map_err(&failed)?;
    }
    if let Some(group) = wanted.group {
        check(unsafe { libc::setpgid(0, group) }).map_err(&failed)?;
    }
    change_user(wanted).map_err(&failed)?;
    signals.restore();
    let mut env = None;
    if let Some(before) = &mut wanted.before {
        let Some(changed) = before() else {
            return Err((Stage::Before, io::Error::from_raw_os_error(0)));
        };
        let changed = changed.into_iter().map(std::os::unix::ffi::OsStringExt::into_vec);
        env = Some(Block::new(changed).map_err(&failed)?);
    }
    if wanted.close {
        close_others(&wanted.keep, report);
    }
    Ok(env)
}

/// Puts the streams in their places, from copies, as one may lie where another belongs.
fn place_streams(streams: [Option<RawFd>; 3]) -> io::Result<()> {
    let mut copies = [None; 3];
    for (copy, stream) in copies.iter_mut().zip(streams) {
        *copy = stream.map(clear_of_standard).transpose()?;
    }
    for (target, copy) in copies.into_iter().enumerate() {
        if let Some(copy) = copy {
            // SAFETY: replaces a descriptor of this process, which is about to become another program.
            check(unsafe { libc::dup2(copy, target as RawFd) })?;
            close(copy);
        }
    }
    Ok(())
}

/// Signals that have a handler get their default: the handler belongs to the program that forked.
fn reset_handlers(restore_signals: bool) {
    for signal in 1..=64 {
        // SAFETY: all zero is a valid place for the answer, and, as a disposition, the default.
        unsafe {
            let mut now: libc::sigaction = std::mem::zeroed();
            let default: libc::sigaction = std::mem::zeroed();
            let is_known = libc::sigaction(signal, std::ptr::null(), &mut now) == 0;
            let is_handled = now.sa_sigaction != libc::SIG_DFL && now.sa_sigaction != libc::SIG_IGN;
            let is_restored = restore_signals && matches!(signal, libc::SIGPIPE | libc::SIGXFSZ);
            if is_known && (is_handled || is_restored) {
                libc::sigaction(signal, &default, std::ptr::null_mut());
            }
        }
    }
}

fn change_user(wanted: &ForkExec<'_>) -> io::Result<()> {
    if let Some(groups) = &wanted.groups {
        // SAFETY: the list is as long as said.
        check(unsafe { libc::setgroups(groups.len() as _, groups.as_ptr()) })?;
    }
    if let Some(gid) = wanted.gid {
        // SAFETY: no memory is involved; so below.
        check(unsafe { libc::setregid(gid, gid) })?;
    }
    if let Some(uid) = wanted.uid {
        check(unsafe { libc::setreuid(uid, uid) })?;
    }
    Ok(())
}

/// Closes all descriptors above 2 but those to keep, and the report, which closes by itself.
fn close_others(keep: &[RawFd], report: RawFd) {
    let mut from = 3;
    // The list is sorted; the report is merged into it.
    let (low, high) = keep.split_at(keep.partition_point(|&fd| fd < report));
    for &kept in low.iter().chain([&report]).chain(high) {
        if kept >= from {
            close_range(from, kept - 1);
            from = kept + 1;
        }
    }
    close_range(from, RawFd::MAX);
}

fn close_range(first: RawFd, last: RawFd) {
    if first > last {
        return;
    }
    #[cfg(target_os = "linux")]
    // SAFETY: closes descriptors of a process that is about to become another program.
    if unsafe { libc::syscall(libc::SYS_close_range, first as libc::c_uint, last as libc::c_uint, 0) } == 0 {
        return;
    }
    // SAFETY: as above; descriptors that are not open are refused.
    unsafe {
        let limit = libc::sysconf(libc::_SC_OPEN_MAX).clamp(256, 1 << 20) as RawFd;
        for descriptor in first..=last.min(limit) {
            libc::close(descriptor);
        }
    }
}

/// In the child: becomes the first program that can be run. Returns the number of the first error that says more than
/// that there is no such file.
fn begin(programs: &[CString], args: &Block, env: &Block) -> i32 {
    let (mut first, mut last) = (0, libc::ENOENT);
    for program in programs {
        // SAFETY: all three end as C wants it. Returns only after a failure.
        unsafe {
            libc::execve(program.as_ptr(), args.pointers.as_ptr().cast(), env.pointers.as_ptr().cast())
        };
        last = io::Error::last_os_error().raw_os_error().unwrap_or(libc::ENOENT);
        if first == 0 && !matches!(last, libc::ENOENT | libc::ENOTDIR) {
            first = last;
        }
    }
    if first == 0 { last } else { first }
}
