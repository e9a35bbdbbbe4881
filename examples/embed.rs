//! A host program with a ZPy engine in it: lends the script a function and its data, runs the script, calls
//! back into it, and handles its errors. Run it with `cargo run --example embed`.

use std::collections::BTreeMap;
use std::error::Error;
use zpy::{Call, Engine, IntoValue, Native, NativeModule, Res};

/// What the host keeps in stock; its native functions reach it through the call.
type Stock = BTreeMap<String, i64>;

/// `import shop` gives scripts these functions. The parameters are written as in a Python `def`.
static SHOP: NativeModule = NativeModule {
    name: "shop",
    doc: "The shop this program runs.",
    functions: &[
        Native { name: "count", params: "item", run: count, doc: "How many of an item there are." },
        Native {
            name: "take",
            params: "item, number=1",
            run: take,
            doc: "Takes items off the shelf; how many are left.",
        },
    ],
    constants: &[("CURRENCY", |_| "EUR".into_value())],
};

fn count(call: &mut Call) -> Res {
    let item: String = call.get(0)?;
    let number = call.data::<Stock>().and_then(|stock| stock.get(&item).copied());
    Ok(number.into_value())
}

fn take(call: &mut Call) -> Res {
    let item: String = call.get(0)?;
    let number = call.int_or(1, 1)?;
    let Some(left) = call.data::<Stock>().and_then(|stock| stock.get_mut(&item)) else {
        return Err(call.vm.value_error(format!("there is no {item}")));
    };
    if *left < number {
        let message = format!("only {left} of {item} left");
        return Err(call.vm.value_error(message));
    }
    *left -= number;
    Ok((*left).into_value())
}

const SCRIPT: &str = "\
import shop

def order(item, price, number):
    left = shop.take(item, number)
    return f'{number} {item} for {price * number} {shop.CURRENCY}, {left} left'
";

pub fn main() -> Result<(), Box<dyn Error>> {
    let stock = Stock::from([("apples".to_string(), 10), ("pears".to_string(), 2)]);
    let mut engine = Engine::new().with_data(stock);
    engine.register(&SHOP);
    engine.eval_named("shop.zpy", SCRIPT)?;

    let receipt: String = engine.call("order", ("apples", 3, 4))?.to()?;
    println!("{receipt}");
    assert_eq!(receipt, "4 apples for 12 EUR, 6 left");

    let error = engine.call("order", ("pears", 2, 5)).expect_err("there are too few pears");
    println!("{}: {} (line {})", error.kind, error.message, error.trace[0].line);
    assert_eq!((error.kind.as_str(), error.trace[0].line), ("ValueError", 4));

    engine.set_global("wanted", vec!["apples", "plums"]);
    let there = engine.eval("[shop.count(item) for item in wanted]")?.to::<Vec<Option<i64>>>()?;
    println!("{there:?}");
    assert_eq!(there, [Some(6), None]);
    Ok(())
}
