//! The value stack and the frames on it.
//!
//! A frame is a run of slots: parameters, other locals, then whatever the running expression has pushed.
//! A call pushes its arguments where the callee's parameter slots will be, so entering a function only
//! fills the other slots with `Unbound` and moves two pointers; nothing is allocated.
//!
//! Three limits keep recursion from ever overflowing anything: a count of frames, the end of the value
//! stack, and an address on the machine stack. Each raises `RecursionError`.

use super::code::{Code, CodeKind};
use super::{Exc, Flow, Vm};
use crate::source::Span;
use crate::value::{Cell, Function, Raised, Ref, Res, Tag, Value};
use std::mem::MaybeUninit;
use std::rc::Rc;

/// Frames of script functions allowed at once, unless the script asks for more.
pub const DEFAULT_RECURSION_LIMIT: usize = 10_000;

/// Entries of the value stack: 16 bytes each, touched only when used.
const STACK_ENTRIES: usize = 1 << 22;
/// Entries beyond `stack_end`, so that error handling can still call functions.
const SPARE_ENTRIES: usize = 4096;

/// Machine stack given to the evaluator; pages are touched only when used. Ten thousand frames of the
/// deepest ordinary kind need about a tenth of it in an optimised build.
pub const NATIVE_STACK: usize = 1 << 29;
/// Machine stack kept free below the floor for error handling and native code.
const NATIVE_SPARE: usize = 1 << 20;

/// The frame around the running one.
pub(super) struct Saved {
    base: *mut Value,
    code: *const Rc<Code>,
    module: *const Ref<crate::value::Module>,
    /// Where it calls the running one.
    call_span: Span,
    outer: *const Saved,
}

/// A frame as `sys._getframe` shows it.
pub struct FrameView {
    pub code: Rc<Code>,
    pub module: Ref<crate::value::Module>,
    /// The call that is under way in it.
    pub span: Span,
    /// How many frames it lies on.
    pub depth: usize,
    base: *mut Value,
}

pub struct ValueStack {
    entries: Box<[MaybeUninit<Value>]>,
}

impl ValueStack {
    pub fn new() -> ValueStack {
        ValueStack { entries: Box::new_uninit_slice(STACK_ENTRIES) }
    }

    /// First entry, and the entry where ordinary use ends.
    pub fn bounds(&mut self) -> (*mut Value, *mut Value) {
        let base = self.entries.as_mut_ptr().cast::<Value>();
        // SAFETY: both are inside the allocation.
        (base, unsafe { base.add(STACK_ENTRIES - SPARE_ENTRIES) })
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        let (bottom, _) = self.stack.bounds();
        self.truncate(bottom);
    }
}

impl Vm {
    /// Runs `body` on a machine stack large enough for deep recursion. Everything that evaluates goes
    /// through here once.
    pub fn on_large_stack<T>(&mut self, body: impl FnOnce(&mut Vm) -> T) -> T {
        let saved = self.native_floor;
        let result = stacker::grow(NATIVE_STACK, || {
            self.set_native_floor();
            super::finalize::enter(self, body)
        });
        self.native_floor = saved;
        result
    }

    pub(super) fn set_native_floor(&mut self) {
        let here = stack_address();
        let remaining = stacker::remaining_stack().unwrap_or(NATIVE_SPARE * 4);
        self.native_floor = here.saturating_sub(remaining.saturating_sub(NATIVE_SPARE));
    }

    /// Whether the machine stack is nearly used up.
    #[inline(always)]
    pub(super) fn is_stack_low(&self) -> bool {
        stack_address() < self.native_floor
    }

    /// For native code that recurses on its own (nested displays, comparisons, copies).
    ///
    /// # Errors
    /// `RecursionError` when the machine stack is nearly used up.
    #[inline]
    pub fn check_depth(&mut self, doing: &str) -> Res<()> {
        if self.is_stack_low() { Err(self.too_deep(doing)) } else { Ok(()) }
    }

    #[cold]
    pub(super) fn too_deep(&mut self, doing: &str) -> Raised {
        self.error(Exc::RecursionError, format!("maximum recursion depth exceeded{doing}"))
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, value: Value) -> Res<()> {
        if self.sp >= self.stack_end {
            return self.push_near_end(value);
        }
        // SAFETY: `sp` is inside the allocation, and the entry is free.
        unsafe {
            self.sp.write(value);
            self.sp = self.sp.add(1);
        }
        Ok(())
    }

    /// The last entries serve the handling of the error that running out of stack is.
    #[cold]
    fn push_near_end(&mut self, value: Value) -> Res<()> {
        let (_, end) = self.stack.bounds();
        // SAFETY: pointer comparison inside one allocation.
        let last = unsafe { end.add(SPARE_ENTRIES - 1) };
        if self.raised.is_none() || self.sp >= last {
            drop(value);
            return Err(self.too_deep(""));
        }
        unsafe {
            self.sp.write(value);
            self.sp = self.sp.add(1);
        }
        Ok(())
    }

    pub(crate) fn ensure_room(&mut self, count: usize) -> Res<()> {
        let room = (self.stack_end as usize).saturating_sub(self.sp as usize) / size_of::<Value>();
        if room < count { Err(self.too_deep("")) } else { Ok(()) }
    }

    /// Number of entries from `start` to the top.
    #[inline(always)]
    pub(crate) fn stack_len(&self, start: *mut Value) -> usize {
        (self.sp as usize - start as usize) / size_of::<Value>()
    }

    #[inline(always)]
    pub(crate) fn stack_top(&self) -> *mut Value {
        self.sp
    }

    /// Drops the entries from `start` on.
    #[inline(always)]
    pub(crate) fn truncate(&mut self, start: *mut Value) {
        while self.sp > start {
            // SAFETY: entries below `sp` are initialised; `sp` moves first because a destructor may push.
            unsafe {
                self.sp = self.sp.sub(1);
                let value = self.sp.read();
                drop(value);
            }
        }
    }

    /// Takes the last `count` entries off, in order.
    pub(crate) fn pop_many(&mut self, count: usize) -> Vec<Value> {
        let mut values = Vec::with_capacity(count);
        // SAFETY: the callers pushed at least `count` entries.
        unsafe {
            self.sp = self.sp.sub(count);
            for i in 0..count {
                values.push(self.sp.add(i).read());
            }
        }
        values
    }

    /// The slot of a local variable.
    #[inline(always)]
    pub(super) fn slot(&mut self, slot: u32) -> &mut Value {
        // SAFETY: `resolve` numbers slots below the frame's size; all slots are initialised on entry.
        unsafe { &mut *self.base.add(slot as usize) }
    }

    /// Stores in a local variable; the old value dies after the store.
    #[inline(always)]
    pub(super) fn set_slot(&mut self, slot: u32, value: Value) {
        let old = std::mem::replace(self.slot(slot), value);
        drop(old);
    }

    /// The cell in a slot.
    #[inline(always)]
    pub(super) fn cell(&mut self, slot: u32) -> Ref<Cell> {
        match self.slot(slot).get_ref::<Cell>() {
            Some(cell) => cell,
            None => unreachable!("slot {slot} holds a cell from entry on"),
        }
    }

    /// Runs a script function whose parameter slots, from `start`, are all filled.
    #[inline]
    pub(super) fn run_frame(&mut self, function: &Function, start: *mut Value) -> Res {
        let code = &*function.code;
        let slots = code.slot_names.len();
        // SAFETY: pointer arithmetic is checked against the end before anything is written.
        let top = unsafe { start.add(slots) };
        if self.depth >= self.recursion_limit || top >= self.stack_end || self.is_stack_low() {
            return self.refuse_frame(start);
        }
        if super::interrupt::wants_attention() && self.attend().is_err() {
            self.truncate(start);
            return Err(Raised);
        }
        if code.is_generator {
            return self.make_generator(function, start);
        }
        let mut at = self.sp;
        while at < top {
            // SAFETY: below `stack_end`, and free.
            unsafe {
                at.write(Value::UNBOUND);
                at = at.add(1);
            }
        }
        self.sp = top;
        let saved = self.enter_frame(function, start);
        self.outer = &saved;
        if !code.captured_slots.is_empty() || !code.fresh_cells.is_empty() || !code.cell_params.is_empty() {
            self.enter_cells(function);
        }
        let flow = self.exec_block(&code.body);
        let result = match flow {
            Flow::Return => Ok(self.returned.take()),
            Flow::Raise => {
                self.leave_by_error(function);
                Err(Raised)
            }
            _ => Ok(Value::NONE),
        };
        self.truncate(start);
        self.leave_frame(saved);
        result
    }

    /// Makes a function's frame the running one; what to give `leave_frame` afterwards. The caller sets `outer`
    /// to it as soon as it has its place in memory.
    #[inline(always)]
    pub(super) fn enter_frame(&mut self, function: &Function, start: *mut Value) -> Saved {
        let saved = Saved {
            base: self.base,
            code: self.code,
            module: self.module,
            call_span: self.call_span,
            outer: self.outer,
        };
        self.base = start;
        self.code = &function.code;
        self.module = &function.module;
        self.depth += 1;
        saved
    }

    #[inline(always)]
    pub(super) fn leave_frame(&mut self, saved: Saved) {
        self.base = saved.base;
        self.code = saved.code;
        self.module = saved.module;
        self.outer = saved.outer;
        self.depth -= 1;
    }

    /// The frame that lies on `depth` others, if it still runs.
    pub fn frame_at(&self, depth: usize) -> Option<FrameView> {
        let (mut code, mut module, mut base) = (self.code, self.module, self.base);
        let (mut span, mut outer) = (self.call_span, self.outer);
        for at in (depth..=self.depth).rev() {
            if at == depth {
                // SAFETY: frames that run keep their function, and so its code and module, alive.
                let (code, module) = unsafe { (code.as_ref()?, module.as_ref()?) };
                return Some(FrameView { code: code.clone(), module: module.clone(), span, depth, base });
            }
            // SAFETY: a link leads into `run_frame` (or the start of a generator), which has not ended.
            let saved = unsafe { outer.as_ref()? };
            (code, module, base) = (saved.code, saved.module, saved.base);
            (span, outer) = (saved.call_span, saved.outer);
        }
        None
    }

    /// `f_locals` of a frame that runs.
    pub fn frame_variables(&self, frame: &FrameView) -> Value {
        // SAFETY: `frame_at` has just found the frame, whose slots are filled.
        let slot = |number: usize| unsafe { &*frame.base.add(number) };
        match frame.code.kind {
            CodeKind::Module => crate::builtins::mapping::of_module(frame.module.clone()),
            CodeKind::Class => slot(0).clone(),
            CodeKind::Function | CodeKind::Lambda => frame.code.variables(|number| Some(slot(number))).into(),
        }
    }

    /// Sets up the cells of a frame that starts.
    pub(super) fn enter_cells_of(&mut self, function: &Function) {
        self.enter_cells(function);
    }

    #[cold]
    #[inline(never)]
    fn refuse_frame(&mut self, start: *mut Value) -> Res {
        self.truncate(start);
        Err(self.too_deep(""))
    }

    #[cold]
    #[inline(never)]
    fn enter_cells(&mut self, function: &Function) {
        let code = &*function.code;
        for (&slot, cell) in code.captured_slots.iter().zip(&function.captured) {
            *self.slot(slot) = cell.clone().into();
        }
        for &slot in &code.cell_params {
            let value = self.slot(slot).take();
            *self.slot(slot) = Cell::new(value).into();
        }
        self.renew_cells(&code.fresh_cells);
    }

    /// Puts a new empty cell into each slot.
    pub(super) fn renew_cells(&mut self, slots: &[u32]) {
        for &slot in slots {
            self.set_slot(slot, Cell::new(Value::UNBOUND).into());
        }
    }

    #[cold]
    fn leave_by_error(&mut self, function: &Function) {
        self.record_place(&function.code);
    }

    /// Code of the running frame.
    pub(crate) fn current_code(&self) -> Option<&Code> {
        self.current_code_handle().map(|code| &**code)
    }

    /// As `current_code`, for keeping it.
    pub(super) fn current_code_handle(&self) -> Option<&Rc<Code>> {
        // SAFETY: set by `run_frame` to code that the running function keeps alive.
        unsafe { self.code.as_ref() }
    }

    /// What `locals()` gives: the namespace of a class body, a new dict of a function's variables, nothing in a
    /// module.
    pub fn local_namespace(&mut self) -> Option<Value> {
        let frame = self.frame_at(self.depth)?;
        (frame.code.kind != CodeKind::Module).then(|| self.frame_variables(&frame))
    }

    /// The namespace that text given to `exec` binds its names in, if such text is running.
    pub(super) fn text_namespace(&mut self) -> Option<Value> {
        let is_text = self.current_code().is_some_and(|code| code.kind == CodeKind::Class);
        is_text.then(|| self.class_namespace())
    }

    /// The namespace of the class body that is running.
    pub(super) fn class_namespace(&mut self) -> Value {
        debug_assert!(self.current_code().is_some_and(|c| c.kind == CodeKind::Class));
        self.slot(0).clone()
    }

    /// Whether a slot holds a plain int, and which.
    #[inline(always)]
    pub(super) fn slot_int(&self, slot: u32) -> Option<i64> {
        // SAFETY: as for `slot`.
        unsafe { &*self.base.add(slot as usize) }.as_int()
    }

    #[inline(always)]
    pub(super) fn slot_tag(&self, slot: u32) -> Tag {
        // SAFETY: as for `slot`.
        unsafe { &*self.base.add(slot as usize) }.tag()
    }
}

#[inline(always)]
fn stack_address() -> usize {
    let marker = 0u8;
    std::ptr::addr_of!(marker) as usize
}
