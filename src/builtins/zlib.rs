//! `_zlib`: deflating and inflating, by miniz_oxide. `stdlib/zlib.zpy` adds the headers and checksums of the formats
//! around the bare stream of blocks that is made and read here.

use super::binascii;
use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::value::{Foreign, Ref, Res, Value};
use miniz_oxide::DataFormat;
use miniz_oxide::deflate::core::{CompressionStrategy, CompressorOxide, TDEFLFlush, compress_to_output};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress_with_limit, inflate_flags};
use std::cell::RefCell;
use std::rc::Rc;

pub const DEFLATER: &str = "_Deflater";
pub const INFLATER: &str = "_Inflater";

pub static MODULE: NativeModule = NativeModule {
    name: "_zlib",
    doc: "Compression; `zlib` is the module to import.",
    functions: &[
        Native {
            name: "crc32",
            params: "data, value=0, /",
            run: binascii::crc32,
            doc: "The CRC-32 of bytes, going on from `value`.",
        },
        Native {
            name: "adler32",
            params: "data, value=1, /",
            run: binascii::adler32,
            doc: "The Adler-32 of bytes, going on from `value`.",
        },
        Native {
            name: "deflater",
            params: "level, window_bits, strategy, dictionary, /",
            run: new_deflater,
            doc: "Makes a stream of blocks; a match may lie in `dictionary`, too.",
        },
        Native {
            name: "inflater",
            params: "dictionary, /",
            run: new_inflater,
            doc: "Reads a stream of blocks; `dictionary` is what the deflater was given.",
        },
    ],
    constants: &[],
};

pub static DEFLATER_ROWS: &[Native] = &[
    Native {
        name: "feed",
        params: "self, data, flush, /",
        run: deflate,
        doc: "Takes bytes, and gives what is ready of the stream: all of it for a `flush` of 2 or 3, its end for one of 4.",
    },
    Native { name: "copy", params: "self", run: copy_deflater, doc: "Another one in the same state." },
];

pub static INFLATER_ROWS: &[Native] = &[
    Native {
        name: "feed",
        params: "self, data, most, /",
        run: inflate,
        doc: "Takes a piece of the stream. Gives at most so many bytes, any number for -1, how much of the piece was used, and whether the stream ended; none for the last if it is damaged.",
    },
    Native { name: "copy", params: "self", run: copy_inflater, doc: "Another one in the same state." },
];

struct Inflater {
    core: DecompressorOxide,
    /// The last 32 KiB, in a circle.
    window: Vec<u8>,
    at: usize,
}

impl Clone for Inflater {
    fn clone(&self) -> Inflater {
        Inflater { core: self.core.clone(), window: self.window.clone(), at: self.at }
    }
}

/// The farthest that a match can lie behind.
const WINDOW: usize = 1 << 15;

fn wrapped<T: 'static>(type_name: &'static str, state: T) -> Value {
    Ref::new(Foreign { type_name, data: RefCell::new(Box::new(Rc::new(RefCell::new(state)))) }).into()
}

fn this<T: 'static>(call: &mut Call, what: &str) -> Res<Rc<RefCell<T>>> {
    let found = match call.arg(0).get::<Foreign>() {
        Some(object) => object.data.borrow().downcast_ref::<Rc<RefCell<T>>>().cloned(),
        None => None,
    };
    found.ok_or_else(|| call.wrong_type(0, what))
}

/// Bytes of a dictionary; only those a match can reach count.
fn dictionary(call: &mut Call, index: usize) -> Res<Vec<u8>> {
    if call.opt_not_none(index).is_none() {
        return Ok(Vec::new());
    }
    let mut data = call.vm.bytes_of(call.arg(index))?;
    data.drain(..data.len().saturating_sub(WINDOW));
    Ok(data)
}

fn new_deflater(call: &mut Call) -> Res {
    /// What zlib's default level -1 stands for.
    const USUAL_LEVEL: u8 = 6;
    let level = u8::try_from(call.int(0)?).unwrap_or(USUAL_LEVEL);
    let window_bits = u8::try_from(call.int(1)?).unwrap_or(15);
    let strategy = match call.int(2)? {
        1 => CompressionStrategy::Filtered,
        2 => CompressionStrategy::HuffmanOnly,
        3 => CompressionStrategy::RLE,
        4 => CompressionStrategy::Fixed,
        _ => CompressionStrategy::Default,
    };
    let mut core = CompressorOxide::with_params(DataFormat::Raw, level, strategy, window_bits);
    let dictionary = dictionary(call, 3)?;
    if !dictionary.is_empty() {
        // Deflated and thrown away up to a byte's end: what follows refers to it all the same.
        compress_to_output(&mut core, &dictionary, TDEFLFlush::Sync, |_| true);
    }
    Ok(wrapped(DEFLATER, core))
}

fn new_inflater(call: &mut Call) -> Res {
    let dictionary = dictionary(call, 0)?;
    let mut window = vec![0; WINDOW];
    window[..dictionary.len()].copy_from_slice(&dictionary);
    Ok(wrapped(INFLATER, Inflater { core: DecompressorOxide::new(), window, at: dictionary.len() % WINDOW }))
}

fn deflate(call: &mut Call) -> Res {
    let state = this::<CompressorOxide>(call, "a deflater")?;
    let data = bytes(call.vm, call.args.get(1))?;
    let flush = match call.int(2)? {
        0 => TDEFLFlush::None,
        4 => TDEFLFlush::Finish,
        3 => TDEFLFlush::Full,
        _ => TDEFLFlush::Sync,
    };
    let mut made = Vec::new();
    compress_to_output(&mut state.borrow_mut(), &data, flush, |piece| {
        made.extend_from_slice(piece);
        true
    });
    Ok(Value::bytes(made))
}

fn bytes(vm: &mut Vm, value: Option<&Value>) -> Res<Vec<u8>> {
    match value {
        Some(value) => vm.bytes_of(value),
        None => Ok(Vec::new()),
    }
}

fn inflate(call: &mut Call) -> Res {
    let state = this::<Inflater>(call, "an inflater")?;
    let data = bytes(call.vm, call.args.get(1))?;
    let most = usize::try_from(call.int(2)?).unwrap_or(usize::MAX);
    let mut made = Vec::new();
    let (used, end) = state.borrow_mut().feed(&data, most, &mut made);
    let end = end.map_or(Value::NONE, Value::bool);
    Ok(Value::tuple(vec![Value::bytes(made), Value::size(used), end]))
}

impl Inflater {
    /// How much of the piece was used, and whether the stream ended; `None` for a damaged one.
    fn feed(&mut self, data: &[u8], most: usize, made: &mut Vec<u8>) -> (usize, Option<bool>) {
        let mut used = 0;
        loop {
            let room = (most - made.len()).min(WINDOW - self.at);
            let (status, taken, given) = decompress_with_limit(
                &mut self.core,
                &data[used..],
                &mut self.window,
                self.at,
                room,
                inflate_flags::TINFL_FLAG_HAS_MORE_INPUT,
            );
            used += taken;
            made.extend_from_slice(&self.window[self.at..self.at + given]);
            self.at = (self.at + given) % WINDOW;
            match status {
                TINFLStatus::Done => return (used, Some(true)),
                TINFLStatus::HasMoreOutput if made.len() < most => {}
                TINFLStatus::HasMoreOutput | TINFLStatus::NeedsMoreInput => return (used, Some(false)),
                _ => return (used, None),
            }
        }
    }
}

fn copy_deflater(call: &mut Call) -> Res {
    let state = this::<CompressorOxide>(call, "a deflater")?;
    let copy = state.borrow().clone();
    Ok(wrapped(DEFLATER, copy))
}

fn copy_inflater(call: &mut Call) -> Res {
    let state = this::<Inflater>(call, "an inflater")?;
    let copy = state.borrow().clone();
    Ok(wrapped(INFLATER, copy))
}
