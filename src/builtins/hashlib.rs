//! `hashlib`: digests of bytes, by the RustCrypto crates.

use crate::call::{Call, Native, NativeModule};
use crate::eval::{Exc, Vm};
use crate::value::{Foreign, FrozenSet, Ref, Res, Value, set};
use blake2::digest::{Digest, consts};
use std::cell::RefCell;
use std::rc::Rc;

pub const TYPE_NAME: &str = "HASH";

/// A hash in the making.
trait Running {
    fn add(&mut self, data: &[u8]);
    fn result(&self) -> Vec<u8>;
    fn copy(&self) -> Box<dyn Running>;
}

impl<D: Digest + Clone + 'static> Running for D {
    fn add(&mut self, data: &[u8]) {
        Digest::update(self, data);
    }

    fn result(&self) -> Vec<u8> {
        self.clone().finalize().to_vec()
    }

    fn copy(&self) -> Box<dyn Running> {
        Box::new(self.clone())
    }
}

/// Name, bytes of a block, and how to start.
type Algorithm = (&'static str, usize, fn() -> Box<dyn Running>);

static ALGORITHMS: &[Algorithm] = &[
    ("md5", 64, || Box::new(md5::Md5::new())),
    ("sha1", 64, || Box::new(sha1::Sha1::new())),
    ("sha224", 64, || Box::new(sha2::Sha224::new())),
    ("sha256", 64, || Box::new(sha2::Sha256::new())),
    ("sha384", 128, || Box::new(sha2::Sha384::new())),
    ("sha512", 128, || Box::new(sha2::Sha512::new())),
    ("blake2b", 128, || Box::new(blake2::Blake2b512::new())),
    ("blake2s", 64, || Box::new(blake2::Blake2s256::new())),
];

/// A hash object.
struct Hash {
    name: &'static str,
    block_size: usize,
    running: RefCell<Box<dyn Running>>,
}

const PARAMS: &str = "string=b'', *, usedforsecurity=True";
const BLAKE_PARAMS: &str = "data=b'', /, *, digest_size=None, usedforsecurity=True";

pub static MODULE: NativeModule = NativeModule {
    name: "hashlib",
    doc: "Digests of bytes.",
    functions: &[
        Native {
            name: "new",
            params: "name, data=b'', *, usedforsecurity=True",
            run: new,
            doc: "A hash by the name of its algorithm.",
        },
        Native { name: "md5", params: PARAMS, run: named, doc: "An MD5 hash. Not for security." },
        Native { name: "sha1", params: PARAMS, run: named, doc: "A SHA-1 hash. Not for security." },
        Native { name: "sha224", params: PARAMS, run: named, doc: "A SHA-224 hash." },
        Native { name: "sha256", params: PARAMS, run: named, doc: "A SHA-256 hash." },
        Native { name: "sha384", params: PARAMS, run: named, doc: "A SHA-384 hash." },
        Native { name: "sha512", params: PARAMS, run: named, doc: "A SHA-512 hash." },
        Native {
            name: "blake2b",
            params: BLAKE_PARAMS,
            run: blake,
            doc: "A BLAKE2b hash of 64 bytes, or of a `digest_size` of 8, 16, 20, 24, 28, 32 or 48.",
        },
        Native {
            name: "blake2s",
            params: BLAKE_PARAMS,
            run: blake,
            doc: "A BLAKE2s hash of 32 bytes, or of a `digest_size` of 8, 16, 20, 24 or 28.",
        },
        Native {
            name: "pbkdf2_hmac",
            params: "hash_name, password, salt, iterations, dklen=None",
            run: pbkdf2,
            doc: "A key derived from a password by PBKDF2.",
        },
    ],
    constants: &[("algorithms_available", algorithms), ("algorithms_guaranteed", algorithms)],
};

/// Methods of hash objects.
pub static METHODS: &[Native] = &[
    Native { name: "update", params: "self, data, /", run: update, doc: "Adds bytes." },
    Native { name: "digest", params: "self", run: digest, doc: "The hash of the bytes so far." },
    Native {
        name: "hexdigest",
        params: "self",
        run: hex_digest,
        doc: "The hash of the bytes so far in hexadecimal.",
    },
    Native { name: "copy", params: "self", run: copy, doc: "A hash object in the same state." },
    Native { name: ".name", params: "self", run: name, doc: "Name of the algorithm." },
    Native { name: ".digest_size", params: "self", run: digest_size, doc: "Bytes of the hash." },
    Native { name: ".block_size", params: "self", run: block_size, doc: "Bytes of a block." },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "The algorithm." },
];

fn algorithms(_vm: &mut Vm) -> Value {
    let mut names = set::Items::default();
    for (name, ..) in ALGORITHMS {
        names.insert_new(Value::str(name), crate::value::str::hash_text(name));
    }
    FrozenSet::new(names).into()
}

fn value(hash: Hash) -> Value {
    Ref::new(Foreign { type_name: TYPE_NAME, data: RefCell::new(Box::new(Rc::new(hash))) }).into()
}

/// The bytes to hash; text must be encoded first.
fn data(call: &mut Call, index: usize) -> Res<Vec<u8>> {
    if Vm::unwrap_native(call.arg(index)).as_str().is_some() {
        return Err(call.vm.type_error("Strings must be encoded before hashing"));
    }
    let value = call.arg(index).clone();
    match call.vm.buffer_of(&value)? {
        Some(data) => Ok(data),
        None => Err(call.vm.type_error("object supporting the buffer API required")),
    }
}

fn start(call: &mut Call, algorithm: &Algorithm, index: usize) -> Res {
    let &(name, block_size, start) = algorithm;
    let mut running = start();
    if call.opt(index).is_some() {
        running.add(&data(call, index)?);
    }
    Ok(value(Hash { name, block_size, running: RefCell::new(running) }))
}

fn find(name: &str) -> Option<&'static Algorithm> {
    let plain = name.to_ascii_lowercase().replace('-', "");
    ALGORITHMS.iter().find(|(known, ..)| *known == plain)
}

fn new(call: &mut Call) -> Res {
    let name = call.str(0)?;
    match find(name) {
        Some(algorithm) => start(call, algorithm, 1),
        None => Err(call.vm.value_error(format!("unsupported hash type {name}"))),
    }
}

fn named(call: &mut Call) -> Res {
    match find(call.native.name) {
        Some(algorithm) => start(call, algorithm, 0),
        None => Err(call.vm.value_error("unsupported hash type")),
    }
}

fn blake(call: &mut Call) -> Res {
    let is_large = call.native.name == "blake2b";
    let size = match call.keyword(0) {
        Some(size) if !size.is_none() => call.vm.to_index(size)?,
        _ => return named(call),
    };
    let running: Box<dyn Running> = match (is_large, size) {
        (true, 8) => Box::new(blake2::Blake2b::<consts::U8>::new()),
        (true, 16) => Box::new(blake2::Blake2b::<consts::U16>::new()),
        (true, 20) => Box::new(blake2::Blake2b::<consts::U20>::new()),
        (true, 24) => Box::new(blake2::Blake2b::<consts::U24>::new()),
        (true, 28) => Box::new(blake2::Blake2b::<consts::U28>::new()),
        (true, 32) => Box::new(blake2::Blake2b::<consts::U32>::new()),
        (true, 48) => Box::new(blake2::Blake2b::<consts::U48>::new()),
        (false, 8) => Box::new(blake2::Blake2s::<consts::U8>::new()),
        (false, 16) => Box::new(blake2::Blake2s::<consts::U16>::new()),
        (false, 20) => Box::new(blake2::Blake2s::<consts::U20>::new()),
        (false, 24) => Box::new(blake2::Blake2s::<consts::U24>::new()),
        (false, 28) => Box::new(blake2::Blake2s::<consts::U28>::new()),
        (true, 64) | (false, 32) => return named(call),
        _ => {
            let message = format!("{}() with a digest_size of {size} is not supported", call.native.name);
            return Err(call.vm.error(Exc::NotImplementedError, message));
        }
    };
    let mut running = running;
    if call.opt(0).is_some() {
        running.add(&data(call, 0)?);
    }
    let (name, block_size) = if is_large { ("blake2b", 128) } else { ("blake2s", 64) };
    Ok(value(Hash { name, block_size, running: RefCell::new(running) }))
}

/// One HMAC of a message.
fn hmac(&(_, block_size, start): &Algorithm, key: &[u8], message: &[&[u8]]) -> Vec<u8> {
    let mut block = vec![0; block_size];
    if key.len() > block_size {
        let mut hash = start();
        hash.add(key);
        let short = hash.result();
        block[..short.len()].copy_from_slice(&short);
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = start();
    inner.add(&block.iter().map(|b| b ^ 0x36).collect::<Vec<u8>>());
    message.iter().for_each(|part| inner.add(part));
    let mut outer = start();
    outer.add(&block.iter().map(|b| b ^ 0x5c).collect::<Vec<u8>>());
    outer.add(&inner.result());
    outer.result()
}

fn pbkdf2(call: &mut Call) -> Res {
    let name = call.str(0)?;
    let Some(algorithm) = find(name) else {
        return Err(call.vm.value_error(format!("unsupported hash type {name}")));
    };
    let (password, salt) = (data(call, 1)?, data(call, 2)?);
    let rounds = call.int(3)?;
    if rounds < 1 {
        return Err(call.vm.value_error("iteration value must be greater than 0."));
    }
    let size = algorithm.2().result().len();
    let length = if call.opt_not_none(4).is_some() { call.int(4)? } else { size as i64 };
    if length < 1 {
        return Err(call.vm.value_error("key length must be greater than 0."));
    }
    let mut key = Vec::new();
    let mut block = 1u32;
    while (key.len() as i64) < length {
        let mut last = hmac(algorithm, &password, &[&salt, &block.to_be_bytes()]);
        let mut sum = last.clone();
        for _ in 1..rounds {
            last = hmac(algorithm, &password, &[&last]);
            sum.iter_mut().zip(&last).for_each(|(a, b)| *a ^= b);
        }
        key.extend(sum);
        block += 1;
    }
    key.truncate(length as usize);
    Ok(Value::bytes(key))
}

fn this(call: &mut Call) -> Res<Rc<Hash>> {
    let found = match call.arg(0).get::<Foreign>() {
        Some(object) => object.data.borrow().downcast_ref::<Rc<Hash>>().cloned(),
        None => None,
    };
    found.ok_or_else(|| call.wrong_type(0, "a hash object"))
}

fn update(call: &mut Call) -> Res {
    let hash = this(call)?;
    let data = data(call, 1)?;
    hash.running.borrow_mut().add(&data);
    Ok(Value::NONE)
}

fn digest(call: &mut Call) -> Res {
    let result = this(call)?.running.borrow().result();
    Ok(Value::bytes(result))
}

fn hex_digest(call: &mut Call) -> Res {
    let result = this(call)?.running.borrow().result();
    Ok(Value::str(super::binascii::hex(&result)))
}

fn copy(call: &mut Call) -> Res {
    let hash = this(call)?;
    let running = RefCell::new(hash.running.borrow().copy());
    Ok(value(Hash { name: hash.name, block_size: hash.block_size, running }))
}

fn name(call: &mut Call) -> Res {
    Ok(Value::str(this(call)?.name))
}

fn digest_size(call: &mut Call) -> Res {
    let size = this(call)?.running.borrow().result().len();
    Ok(Value::size(size))
}

fn block_size(call: &mut Call) -> Res {
    Ok(Value::size(this(call)?.block_size))
}

fn repr(call: &mut Call) -> Res {
    let name = this(call)?.name;
    Ok(Value::str(format!("<{name} {TYPE_NAME} object>")))
}
