//! `_random`: the Mersenne Twister that Python's `random` is built on, number for number.

use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::value::{BigInt, Foreign, Int, Ref, Res, Tag, Value};
use num_bigint::Sign;
use num_traits::ToPrimitive;
use std::cell::RefCell;
use std::io::Read;
use std::rc::Rc;

pub const TYPE_NAME: &str = "Random";

/// Words of state, and the distance of the words that are mixed (MT19937).
const WORDS: usize = 624;
const MIDDLE: usize = 397;

struct Twister {
    words: [u32; WORDS],
    /// The next word to hand out; `WORDS` if all are used.
    next: usize,
}

impl Twister {
    fn seeded(seed: u32) -> Twister {
        let mut words = [0; WORDS];
        words[0] = seed;
        for i in 1..WORDS {
            let last = words[i - 1];
            words[i] = 1_812_433_253u32.wrapping_mul(last ^ last >> 30).wrapping_add(i as u32);
        }
        Twister { words, next: WORDS }
    }

    /// Seeds with a number of any length, as `init_by_array` of the original.
    fn from_key(key: &[u32]) -> Twister {
        let mut twister = Twister::seeded(19_650_218);
        let words = &mut twister.words;
        let (mut i, mut j) = (1, 0);
        let advance = |i: &mut usize, words: &mut [u32; WORDS]| {
            *i += 1;
            if *i >= WORDS {
                words[0] = words[WORDS - 1];
                *i = 1;
            }
        };
        for _ in 0..WORDS.max(key.len()) {
            let last = words[i - 1];
            words[i] = (words[i] ^ (last ^ last >> 30).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            advance(&mut i, words);
            j = (j + 1) % key.len();
        }
        for _ in 0..WORDS - 1 {
            let last = words[i - 1];
            words[i] = (words[i] ^ (last ^ last >> 30).wrapping_mul(1_566_083_941)).wrapping_sub(i as u32);
            advance(&mut i, words);
        }
        words[0] = 0x8000_0000;
        twister
    }

    fn refill(&mut self) {
        let words = &mut self.words;
        for i in 0..WORDS {
            let mixed = words[i] & 0x8000_0000 | words[(i + 1) % WORDS] & 0x7fff_ffff;
            let odd = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
            words[i] = words[(i + MIDDLE) % WORDS] ^ mixed >> 1 ^ odd;
        }
        self.next = 0;
    }

    fn word(&mut self) -> u32 {
        if self.next >= WORDS {
            self.refill();
        }
        let mut y = self.words[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    /// 53 random bits as a float from 0 to below 1.
    fn float(&mut self) -> f64 {
        let (a, b) = (self.word() >> 5, self.word() >> 6);
        (a as f64 * 67_108_864.0 + b as f64) / 9_007_199_254_740_992.0
    }
}

pub static MODULE: NativeModule = NativeModule {
    name: "_random",
    doc: "The generator of random numbers behind `random`.",
    functions: &[],
    constants: &[("Random", |vm| vm.types.named(TYPE_NAME, Tag::Foreign).into())],
};

/// Methods of generators.
pub static METHODS: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, seed=None, /",
        run: new,
        doc: "A generator, seeded as by `seed`.",
    },
    Native {
        name: "seed",
        params: "self, n=None, /",
        run: seed,
        doc: "Starts anew from an int, or from the system's randomness for none; other objects by their hash.",
    },
    Native { name: "random", params: "self, /", run: random, doc: "A float from 0 to below 1." },
    Native {
        name: "getrandbits",
        params: "self, k, /",
        run: get_rand_bits,
        doc: "An int of `k` random bits.",
    },
    Native { name: "getstate", params: "self, /", run: get_state, doc: "The state as a tuple of 625 ints." },
    Native { name: "setstate", params: "self, state, /", run: set_state, doc: "Goes back to a state." },
];

fn this(call: &mut Call) -> Res<Rc<RefCell<Twister>>> {
    let found = match call.arg(0).get::<Foreign>() {
        Some(object) => object.data.borrow().downcast_ref::<Rc<RefCell<Twister>>>().cloned(),
        None => None,
    };
    found.ok_or_else(|| call.wrong_type(0, "Random"))
}

/// A generator started from the seed argument.
fn started(call: &mut Call) -> Res<Twister> {
    let Some(given) = call.opt_not_none(1) else { return from_system(call.vm) };
    let key = match Int::of(Vm::unwrap_native(given)) {
        Some(int) => int.to_big().magnitude().to_u32_digits(),
        None => {
            let hash = call.vm.hash(given)?;
            BigInt::from(hash).magnitude().to_u32_digits()
        }
    };
    Ok(Twister::from_key(if key.is_empty() { &[0] } else { &key }))
}

fn from_system(vm: &mut Vm) -> Res<Twister> {
    let mut bytes = [0u8; 64];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    if let Err(error) = read {
        return Err(vm.os_error(&error, Some("/dev/urandom")));
    }
    let words = bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    Ok(Twister::from_key(&words.collect::<Vec<u32>>()))
}

fn new(call: &mut Call) -> Res {
    let twister = Rc::new(RefCell::new(started(call)?));
    Ok(Ref::new(Foreign { type_name: TYPE_NAME, data: RefCell::new(Box::new(twister)) }).into())
}

fn seed(call: &mut Call) -> Res {
    let twister = this(call)?;
    let started = started(call)?;
    *twister.borrow_mut() = started;
    Ok(Value::NONE)
}

fn random(call: &mut Call) -> Res {
    let number = this(call)?.borrow_mut().float();
    Ok(Value::float(number))
}

fn get_rand_bits(call: &mut Call) -> Res {
    let twister = this(call)?;
    let bits = call.int(1)?;
    if bits < 0 {
        return Err(call.vm.value_error("number of bits must be non-negative"));
    }
    let mut twister = twister.borrow_mut();
    if bits <= 32 {
        let number = if bits == 0 { 0 } else { twister.word() >> (32 - bits) };
        return Ok(Value::int(number as i64));
    }
    let words = (bits as usize).div_ceil(32);
    let mut digits = Vec::new();
    if digits.try_reserve_exact(words).is_err() {
        return Err(call.vm.error_with(crate::eval::Exc::MemoryError, Vec::new()));
    }
    for i in 0..words {
        let left = bits as usize - 32 * i;
        let word = twister.word();
        digits.push(if left < 32 { word >> (32 - left) } else { word });
    }
    Ok(Value::big(BigInt::from_slice(Sign::Plus, &digits)))
}

fn get_state(call: &mut Call) -> Res {
    let twister = this(call)?;
    let twister = twister.borrow();
    let mut state: Vec<Value> = twister.words.iter().map(|&word| Value::int(word as i64)).collect();
    state.push(Value::size(twister.next));
    Ok(Value::tuple(state))
}

fn set_state(call: &mut Call) -> Res {
    let twister = this(call)?;
    let state = call.items(1)?;
    if state.len() != WORDS + 1 {
        return Err(call.vm.value_error("state vector is the wrong size"));
    }
    let mut words = [0; WORDS];
    for (word, value) in words.iter_mut().zip(&state) {
        let number = call.vm.to_index(value)?;
        *word = number.to_u32().unwrap_or(number as u32);
    }
    let next = call.vm.to_index(&state[WORDS])?;
    if !(0..=WORDS as i64).contains(&next) {
        return Err(call.vm.value_error("invalid state"));
    }
    *twister.borrow_mut() = Twister { words, next: next as usize };
    Ok(Value::NONE)
}
