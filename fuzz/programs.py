#!/usr/bin/env python3
"""Generated programs, run by Python and by ZPy: every difference is a bug or has a reason.

    python3.11 fuzz/programs.py target/release/zpy --seconds 60 [--seed 1] [--keep FOLDER]

A program is a run of small pieces, each of which prints what it computed or the exception it met. Pieces are grown from
a grammar of expressions by type, so that most of them do something, and of statements: loops, functions, closures,
generators, classes, exceptions, matches, comprehensions. What is ZPy's own (`true` for `True`) is mapped in the output;
pieces do not turn truth values or none into text, whose length would differ. Exit code 1 if a program differs.
"""

import argparse
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

INTS = ["0", "1", "(-1)", "2", "3", "7", "10", "(-5)", "255", "(1 << 40)", "(2**64)", "(-2**63)", "(10**20)"]
FLOATS = ["0.0", "1.5", "(-2.25)", "1e10", "3.0", "(-0.0)", "1e-5", "float('inf')", "0.1", "123456.789"]
STRS = ["''", "'a'", "'abc'", "'Hello World'", "'a,b,,c'", "'  pad '", "'äöü'", "'x=1;y=2'", "'ABCabc'", "'12'", "'\\n\\t'", "'€uro'"]
BYTES = ["b''", "b'a'", "b'abc'", "b'\\x00\\xff'", "b'a b c'", "bytearray(b'xyz')"]


class Grammar:
    """Grows pieces. Names of variables are `v0`, `v1`, ... with the type they were given."""

    def __init__(self, rng):
        self.rng = rng
        self.names = {}
        self.count = 0

    def pick(self, *options):
        choice = self.rng.choice(options)
        return choice() if callable(choice) else choice

    def fresh(self, kind):
        name = f"v{self.count}"
        self.count += 1
        self.names.setdefault(kind, []).append(name)
        return name

    def expr(self, kind, depth):
        known = self.names.get(kind)
        if known and self.rng.random() < 0.3:
            return self.rng.choice(known)
        return getattr(self, kind)(depth - 1)

    def any(self, depth):
        return self.expr(self.rng.choice(["int", "float", "str", "list", "tuple", "dict", "set", "bytes"]), depth)

    def hashable(self, depth):
        return self.expr(self.rng.choice(["int", "str", "float"]), depth)

    def small(self):
        return str(self.rng.randint(-4, 6))

    def slice(self):
        part = lambda: self.pick("", self.small(), self.small())
        step = self.pick("", "", ":2", ":-1", ":-2", ":3")
        return f"{part()}:{part()}{step}"

    def bool(self, depth):
        if depth <= 0:
            return self.pick("True", "False", "1 < 2")
        i, s, l = (lambda: self.expr("int", depth)), (lambda: self.expr("str", depth)), (lambda: self.expr("list", depth))
        op = self.pick("<", "<=", "==", "!=", ">", ">=")
        return self.pick(
            lambda: f"({i()} {op} {i()})", lambda: f"({s()} {op} {s()})", lambda: f"({l()} == {l()})",
            lambda: f"({i()} in {l()})", lambda: f"({s()} in {s()})", lambda: f"(not {i()})",
            lambda: f"({i()} {op} {i()} {op} {i()})", lambda: f"isinstance({self.any(depth)}, (int, str))",
            lambda: f"{s()}.startswith({s()})", lambda: f"{s()}.isalpha()", lambda: f"any({l()})", lambda: f"all({l()})",
            lambda: f"({self.expr('set', depth)} <= {self.expr('set', depth)})", lambda: f"bool({self.any(depth)})")

    def int(self, depth):
        if depth <= 0:
            return self.pick(*INTS)
        i, s, l = (lambda: self.expr("int", depth)), (lambda: self.expr("str", depth)), (lambda: self.expr("list", depth))
        op = self.pick("+", "-", "*", "//", "%", "&", "|", "^")
        return self.pick(
            lambda: f"({i()} {op} {i()})", lambda: f"({i()} {op} {i()})", lambda: f"(-{i()})", lambda: f"(~{i()})",
            lambda: f"({i()} ** {self.rng.randint(0, 5)})", lambda: f"({i()} >> {self.rng.randint(0, 70)})",
            lambda: f"({i()} << {self.rng.randint(0, 70)})", lambda: f"len({s()})", lambda: f"len({l()})", lambda: f"abs({i()})",
            lambda: f"int({self.expr('float', depth)})", lambda: f"{s()}.find({s()})", lambda: f"{s()}.count({s()})",
            lambda: f"{l()}.count({i()})", lambda: f"({i()} if {self.expr('bool', depth)} else {i()})",
            lambda: f"sum(x for x in {l()} if isinstance(x, int))", lambda: f"divmod({i()}, {i()})[0]",
            lambda: f"max({i()}, {i()})", lambda: f"({i()}).bit_length()", lambda: f"int({s()})", lambda: f"ord({s()})",
            lambda: f"pow({i()}, {self.rng.randint(0, 30)}, {i()})", lambda: f"round({self.expr('float', depth)})",
            lambda: f"{self.expr('tuple', depth)}.index({i()})", lambda: f"len({self.expr('dict', depth)})",
            lambda: f"int.from_bytes({self.expr('bytes', depth)}, 'big')", lambda: f"hash({i()})",
            lambda: f"(lambda a, b={i()}: a - b)({i()})", lambda: f"({i()} and {i()})", lambda: f"({i()} or {i()})")

    def float(self, depth):
        if depth <= 0:
            return self.pick(*FLOATS)
        f, i = (lambda: self.expr("float", depth)), (lambda: self.expr("int", depth))
        op = self.pick("+", "-", "*", "/", "//", "%")
        return self.pick(
            lambda: f"({f()} {op} {f()})", lambda: f"({f()} {op} {i()})", lambda: f"({i()} / {i()})", lambda: f"(-{f()})",
            lambda: f"float({i()})", lambda: f"abs({f()})", lambda: f"round({f()}, {self.small()})", lambda: f"min({f()}, {f()})",
            lambda: f"float({self.expr('str', depth)})", lambda: f"divmod({f()}, {f()})[1]", lambda: f"({f()}).real")

    def spec(self):
        return self.pick("", "5", ">8", "<8", "^9", "*^7", "08", "+", ",", "x", "#x", "b", ".2f", "10.3e", "g", "_", "%", "c", "n", "s", "é>5")

    def str(self, depth):
        if depth <= 0:
            return self.pick(*STRS)
        s, i, f = (lambda: self.expr("str", depth)), (lambda: self.expr("int", depth)), (lambda: self.expr("float", depth))
        method = self.pick("upper", "lower", "title", "strip", "swapcase", "capitalize", "casefold", "lstrip")
        return self.pick(
            lambda: f"({s()} + {s()})", lambda: f"({s()} * {self.rng.randint(-1, 4)})", lambda: f"{s()}[{self.slice()}]",
            lambda: f"{s()}[{self.small()}]", lambda: f"{s()}.{method}()", lambda: f"str({i()})", lambda: f"repr({s()})",
            lambda: f"repr({f()})", lambda: f"{s()}.replace({s()}, {s()})", lambda: f"{s()}.join([{s()}, {s()}])",
            lambda: self.fstring(depth),
            lambda: f"format({i()}, '{self.spec()}')", lambda: f"format({f()}, '{self.spec()}')", lambda: f"format({s()}, '{self.spec()}')",
            lambda: f"('%s|%5d|%-6.2f|%r' % ({s()}, {i()}, {f()}, {s()}))", lambda: f"'{{0}}-{{1!r:>6}}'.format({i()}, {s()})",
            lambda: f"{s()}.center({self.rng.randint(0, 12)}, '*')", lambda: f"{s()}.zfill({self.rng.randint(0, 9)})",
            lambda: f"hex({i()})", lambda: f"bin({i()})", lambda: f"chr({self.rng.randint(32, 1000)})",
            lambda: f"{self.expr('bytes', depth)}.hex()", lambda: f"{s()}.translate({{97: 'Q', 98: None}})",
            lambda: f"{s()}.partition({s()})[{self.small()}]", lambda: f"{s()}.expandtabs(3)", lambda: f"ascii({s()})",
            lambda: f"type({self.any(depth)}).__name__", lambda: f"{s()}.encode().decode('latin-1')")

    def fstring(self, depth):
        """Without backslashes, which Python 3.11 does not allow in one."""
        fields = f"{{{self.expr('int', depth)}:{self.spec()}}}|{{{self.expr('float', depth)}:{self.spec()}}}"
        return "'f'" if "\\" in fields or '"""' in fields else f'f"""{fields}"""'

    def bytes(self, depth):
        if depth <= 0:
            return self.pick(*BYTES)
        b, s = (lambda: self.expr("bytes", depth)), (lambda: self.expr("str", depth))
        return self.pick(
            lambda: f"({b()} + {b()})", lambda: f"{b()}[{self.slice()}]", lambda: f"{s()}.encode('utf-8')",
            lambda: f"bytes([{self.rng.randint(0, 255)}, {self.rng.randint(0, 255)}])", lambda: f"{b()}.upper()",
            lambda: f"{b()}.replace(b'a', {b()})", lambda: f"({b()} * {self.rng.randint(0, 3)})", lambda: f"{b()}.split()[0]",
            lambda: f"({self.expr('int', depth)}).to_bytes(9, 'little', signed=True)", lambda: f"bytes({b()})")

    def list(self, depth):
        items = lambda n: ", ".join(self.expr(self.rng.choice(["int", "str", "float"]), depth) for _ in range(self.rng.randint(0, n)))
        if depth <= 0:
            return f"[{', '.join(self.pick(*INTS) for _ in range(self.rng.randint(0, 4)))}]"
        l, i = (lambda: self.expr("list", depth)), (lambda: self.expr("int", depth))
        return self.pick(
            lambda: f"[{items(4)}]", lambda: f"({l()} + {l()})", lambda: f"{l()}[{self.slice()}]", lambda: f"sorted({l()})",
            lambda: f"list(reversed({l()}))", lambda: f"[x for x in {l()} if x]", lambda: f"[x * 2 for x in {l()}]",
            lambda: f"[(x, y) for x in {l()} for y in range(2)]", lambda: f"list(range({self.small()}, {self.rng.randint(0, 9)}, {self.pick(1, 2, -1, 3)}))",
            lambda: f"{self.expr('str', depth)}.split({self.pick('', chr(39) + ',' + chr(39))})", lambda: f"list(map(str, {self.expr('int_list', depth)}))",
            lambda: f"list(zip({l()}, {l()}))", lambda: f"list(enumerate({l()}, {self.small()}))", lambda: f"list({self.expr('tuple', depth)})",
            lambda: f"sorted({self.expr('int_list', depth)}, key=lambda q: -q, reverse={self.pick('True', 'False')})", lambda: f"list({self.expr('str', depth)})",
            lambda: f"[*{l()}, {i()}]", lambda: f"list(filter(None, {l()}))", lambda: f"({l()} * {self.rng.randint(0, 3)})",
            lambda: f"list({self.expr('dict', depth)}.items())", lambda: f"list({self.expr('dict', depth)})", lambda: f"list({self.expr('bytes', depth)})")

    def int_list(self, depth):
        return "[" + ", ".join(self.expr("int", depth) for _ in range(self.rng.randint(0, 5))) + "]"

    def tuple(self, depth):
        if depth <= 0:
            return self.pick("()", "(1,)", "(1, 'a')", "(3, 2, 1)")
        return self.pick(
            lambda: f"({self.any(depth)}, {self.any(depth)})", lambda: f"tuple({self.expr('list', depth)})", lambda: f"divmod({self.expr('int', depth)}, {self.expr('int', depth)})",
            lambda: f"({self.expr('tuple', depth)} + {self.expr('tuple', depth)})", lambda: f"{self.expr('tuple', depth)}[{self.slice()}]",
            lambda: f"{self.expr('str', depth)}.rpartition({self.expr('str', depth)})")

    def dict(self, depth):
        if depth <= 0:
            return self.pick("{}", "{'a': 1}", "{1: 'x', 2: 'y'}", "{'k': [1, 2]}")
        d, h = (lambda: self.expr("dict", depth)), (lambda: self.hashable(depth))
        return self.pick(
            lambda: f"{{{h()}: {self.any(depth)}, {h()}: {self.any(depth)}}}", lambda: f"{{k: v for k, v in enumerate({self.expr('list', depth)})}}",
            lambda: f"({d()} | {d()})", lambda: f"dict(zip({self.expr('str', depth)}, range(9)))", lambda: f"{{**{d()}, {h()}: 0}}",
            lambda: f"dict.fromkeys({self.expr('str', depth)}, {self.expr('int', depth)})", lambda: f"dict({d()}, z={self.expr('int', depth)})")

    def set(self, depth):
        # Sets of small ints only: their order is the same everywhere.
        items = lambda: ", ".join(str(self.rng.randint(0, 7)) for _ in range(self.rng.randint(1, 5)))
        if depth <= 0:
            return self.pick("set()", f"{{{items()}}}", f"frozenset([{items()}])")
        s = lambda: self.expr("set", depth)
        return self.pick(lambda: f"({s()} | {s()})", lambda: f"({s()} & {s()})", lambda: f"({s()} - {s()})", lambda: f"({s()} ^ {s()})",
                         lambda: f"{{x % 8 for x in {self.expr('int_list', depth)}}}", lambda: f"{{{items()}}}")

    # ---- statements ----

    def piece(self):
        """Lines of one piece, without the `try` around them."""
        return self.pick(self.show, self.show, self.show, self.assign, self.loop, self.function, self.closure, self.generator, self.klass, self.handler,
                         self.change, self.match, self.unpack, self.update)

    def show(self):
        return [f"print(shown({self.any(4)}))"]

    def assign(self):
        kind = self.rng.choice(["int", "float", "str", "list", "tuple", "dict", "set", "bytes"])
        value = self.expr(kind, 3)
        name = self.fresh(kind)
        return [f"global {name}", f"{name} = {value}", f"print(shown({name}))"]

    def loop(self):
        body = self.pick("continue", "break", "total += 1", "total -= x if isinstance(x, int) else 1")
        return ["total = 0", f"for x in {self.expr('list', 3)}:", f"    if {self.expr('bool', 2)}:", f"        {body}", "    total += 2",
                "else:", "    total += 1000", "print(total)"]

    def function(self):
        params = self.pick("a, b=2, *c, d=4, **e", "a, /, b, *, c=3", "*a, b=1", "a, b, c=None", "**k")
        arguments = self.pick("1, 2", "1", "1, b=2", "*[1, 2, 3]", "**{'a': 1}", "1, 2, 3, d=5, z=6", "")
        names = re.findall(r"\w+(?=[,=)]|$)", re.sub(r"=\w+", "", params))
        return [f"def f({params}):", f"    return [{', '.join(names)}]", f"print(shown(f({arguments})))"]

    def closure(self):
        return ["def make(n):", "    def step(by=1):", "        nonlocal n", f"        n {self.pick('+=', '*=', '-=', '//=', '%=')} by", "        return n",
                "    return step", f"step = make({self.expr('int', 2)})", f"print(step(), step({self.small()}), step({self.expr('int', 2)}))"]

    def generator(self):
        return ["def g(n):", "    try:", "        for i in range(n):", f"            got = yield {self.pick('i', 'i * i', '(i, n)')}",
                "            if got: print('got', got)", "    finally:", "        print('closed')", f"    {self.pick('return n', 'yield from [n, -n]', 'pass')}",
                f"it = g({self.rng.randint(0, 4)})", f"print(shown({self.pick('list(it)', 'next(it)', '(next(it), it.send(5))', 'sum(x if isinstance(x, int) else 0 for x in it)')}))", "it.close()"]

    def klass(self):
        special = self.pick("__add__", "__lt__", "__eq__", "__getitem__", "__contains__", "__call__", "__mul__", "__radd__")
        use = {"__add__": "p + 1", "__lt__": "sorted([p, P(1)])[0].x", "__eq__": "p == 3", "__getitem__": "p[2]", "__contains__": "4 in p", "__call__": "p(5)",
               "__mul__": "p * 2", "__radd__": "3 + p"}[special]
        result = "bool(other)" if special in ("__lt__", "__eq__", "__contains__") else "(self.x, other)"
        if special == "__lt__":
            result = "self.x < other.x"
        return ["class B:", "    kind = 'base'", "    def __init__(self, x): self.x = x", f"    def who(self): return f'{{self.kind}} {{self.x}}'",
                f"class P({self.pick('B', 'B', 'B')}):", f"    kind = {self.expr('str', 1)}", f"    def {special}(self, other): return {result}",
                f"    {self.pick('@property', '@staticmethod', '@classmethod')}", "    def extra(self=0): return 7", "    def __repr__(self): return f'P({self.x})'",
                f"p = P({self.rng.randint(0, 5)})", f"print(p.who(), shown({use}), p)", f"print({self.pick('p.extra()', 'P.kind', 'p.missing', 'P(2).x', 'B(2).extra')})"]

    def handler(self):
        return ["try:", "    try:", f"        print(shown({self.any(3)}))", f"        {self.pick('raise KeyError(3)', 'raise ValueError', '[][1]', '1 // 0', 'pass', 'undefined_name')}",
                f"    except {self.pick('KeyError', '(ValueError, IndexError)', 'ArithmeticError', 'LookupError')} as e:", "        print('caught', type(e).__name__, e)",
                f"        {self.pick('raise', 'raise RuntimeError(1) from e', 'pass')}", "    else:", "        print('else')", "    finally:", "        print('finally')",
                "except Exception as e:", "    print(type(e).__name__, e, type(e.__cause__).__name__, type(e.__context__).__name__)"]

    def change(self):
        method = self.pick("append(1)", "insert(1, 'q')", "pop()", "pop(0)", "sort()", "reverse()", "extend('ab')", "remove(1)", "clear()", "index(2)",
                           f"__setitem__(slice({self.small()}, {self.small()}), 'xy')", f"__delitem__(slice(None, None, {self.pick(2, -1, 3)}))")
        return [f"l = {self.expr('list', 2)}", f"print(shown(l.{method}))", "print(shown(l))", f"l[{self.slice()}] = [7, 8]", "print(shown(l))",
                f"del l[{self.slice()}]", "print(shown(l))"]

    def update(self):
        method = self.pick("get('a')", "pop('a', 0)", "setdefault('k', 9)", "update(z=1)", "popitem()", "keys() & {'a'}", "pop('nope')", "items() == []")
        return [f"d = {self.expr('dict', 2)}", f"print(shown(d.{method}))", f"d[{self.hashable(1)}] = {self.expr('int', 1)}", "print(shown(d))",
                f"d[{self.pick('(1, 2)', '[1]', '1.0')}] = 5", "print(shown(list(d)))"]

    def match(self):
        return [f"match {self.any(3)}:", "    case []: print('empty')", "    case [x]: print('one', shown(x))", "    case [x, *rest]: print('more', shown(x), shown(rest))",
                "    case {'a': a, **others}: print('dict', shown(a), shown(others))", "    case str() as s if s: print('str', s)", "    case int(n) | float(n): print('number', shown(n))",
                "    case _: print('other')"]

    def unpack(self):
        targets = self.pick("a, b", "a, *b", "*a, b", "a, (b, c)", "(a,)", "a, *b, c")
        return [f"{targets} = {self.pick(lambda: self.expr('list', 3), lambda: self.expr('tuple', 3), lambda: self.expr('str', 2))}",
                f"print({', '.join('shown(' + n + ')' for n in re.findall('[abc]', targets))})"]


HEAD = '''
def shown(value):
    """Text of a value: of bytes, big numbers and long texts the beginning."""
    text = repr(value)
    return text if len(text) < 400 else text[:200] + "..." + str(len(text))

'''


def program(rng, pieces=25):
    grammar = Grammar(rng)
    lines = [HEAD]
    for number in range(pieces):
        body = grammar.piece()
        lines.append(f"def piece{number}():")
        lines += ["    " + line for line in body]
        lines += ["try:", f"    piece{number}()", "except Exception as error:", f"    print({number}, type(error).__name__, error)", ""]
    return "\n".join(lines)


def mapped(text):
    """Output with the words of both spellings made one."""
    return re.sub(r"\b(True|False|None)\b", lambda found: found.group().lower(), text)


def run(command, path, limit=20):
    try:
        done = subprocess.run([*command, path], capture_output=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return "timeout", ""
    return done.returncode, mapped(done.stdout.decode("utf-8", "backslashreplace"))


def first_difference(wanted, got):
    for number, (a, b) in enumerate(zip(wanted + [""] * len(got), got + [""] * len(wanted))):
        if a != b:
            return f"line {number + 1}\n  python: {a[:300]}\n  zpy:    {b[:300]}"
    return "exit codes"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zpy")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="folder for programs that differ")
    parser.add_argument("--most", type=int, default=20, help="differences after which to stop")
    options = parser.parse_args()
    folder = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="zpy-programs-"))
    folder.mkdir(exist_ok=True, parents=True)
    end = time.monotonic() + options.seconds
    count = differences = 0
    seed = options.seed
    while time.monotonic() < end and differences < options.most:
        path = folder / f"program{seed}.py"
        path.write_text(program(random.Random(seed)), encoding="utf-8")
        wanted, got = run([sys.executable, "-W", "ignore"], path), run([options.zpy, "-W", "ignore"], path)
        count += 1
        if wanted == got or wanted[0] == "timeout":
            path.unlink()
        else:
            differences += 1
            print(f"{path}: exit codes {wanted[0]} {got[0]}, {first_difference(wanted[1].splitlines(), got[1].splitlines())}", flush=True)
        seed += 1
    print(f"{count} programs, {differences} differ")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
