#!/usr/bin/env python3
"""Python as the judge of ZPy's golden scripts.

Every script under `lang`, `next` and `lang_errors` is valid Python as well, unless its first line says `# zpy-only`.
This program runs such scripts under the Python that runs it and writes, or with `--check` compares, what they print:

    lang/F/C.zpy, next/F/C.zpy    -> C.out, everything written to stdout
    lang_errors/C.zpy             -> C.err, the traceback of the uncaught exception, and C.out if stdout was used

Spelling that is ZPy's own is mapped in the output: True False None become true false none, and a class shows its bare
name, `<class 'str'>` being `string`. A script that starts with `# python-3.12:` is left alone by an older Python, one
that starts with `# python-3.11-only:` by any other.
Files and folders whose name starts with `lib_` are modules that the scripts import, not scripts.

    python3 tests/oracle.py                 rewrite every expectation
    python3 tests/oracle.py --check         compare only; exit code 1 if one differs
    python3 tests/oracle.py --check slices  the same for the scripts whose path contains `slices`
"""

import builtins
import contextlib
import difflib
import gc
import importlib.machinery
import io
import os
import re
import signal
import subprocess
import sys
import traceback
import types
import warnings

ROOT = os.path.dirname(os.path.realpath(__file__))
DEADLINE_SECONDS = 20
CLASS_NAMES = {"str": "string", "NoneType": "none", "builtin_function_or_method": "function"}
WORDS = {"True": "true", "False": "false", "None": "none"}
# Fixed wording of messages in which None is a word of the sentence and not a printed value; ZPy keeps it.
KEPT = re.compile(r"(?:integers or|str or|bool or|must be|should return) None")


def spell(text):
    """What ZPy prints where Python prints `text`."""
    text = re.sub(r"<class '(?:[^'>]*\.)?(\w+)'>", lambda m: CLASS_NAMES.get(m[1], m[1]), text)
    pattern = KEPT.pattern + r"|\b(?:True|False|None)\b"
    return re.sub(pattern, lambda m: WORDS.get(m[0], m[0]), text)


def spell_traceback(text):
    """`spell` for the messages of a traceback; the quoted source lines, which are indented, stay as written."""
    return "".join(line if line[:1] == " " else spell(line) for line in text.splitlines(keepends=True))


def scripts(folder):
    """Paths of the scripts in a folder, relative to it, sorted."""
    found = []
    for place, folders, files in os.walk(os.path.join(ROOT, folder)):
        folders[:] = [name for name in folders if not name.startswith(("lib_", "__"))]
        for name in files:
            if name.endswith(".zpy") and not name.startswith("lib_"):
                found.append(os.path.relpath(os.path.join(place, name), os.path.join(ROOT, folder)))
    return sorted(found)


def is_for_this_python(path):
    with open(path, encoding="utf-8-sig") as file:
        first = file.readline()
    if first.startswith("# zpy-only"):
        return False
    wish = re.match(r"# python-([\d.]+)(-only)?:", first)
    if not wish:
        return True
    version = tuple(int(part) for part in wish[1].split("."))
    return sys.version_info[: len(version)] == version if wish[2] else sys.version_info >= version


class TooSlow(BaseException):
    """The script did not end before its deadline."""


def ring(number, frame):
    raise TooSlow


@contextlib.contextmanager
def untouched_process(shown):
    """Gives a script a process that looks fresh, and puts everything back."""
    kept = (sys.path[:], sys.argv, sys.stdout, sys.stderr, sys.stdin, os.getcwd(), dict(os.environ), set(sys.modules), sys.getrecursionlimit())
    main = sys.modules["__main__"]
    sys.path.insert(0, os.path.dirname(os.path.abspath(shown)))
    sys.argv = [shown]
    sys.stdin = io.StringIO()
    sys.stderr = io.StringIO()
    signal.signal(signal.SIGALRM, ring)
    signal.alarm(DEADLINE_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        sys.path[:], sys.argv, sys.stdout, sys.stderr, sys.stdin = kept[:5]
        os.chdir(kept[5])
        os.environ.clear()
        os.environ.update(kept[6])
        for name in set(sys.modules) - kept[7]:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(ROOT):
                del sys.modules[name]
        sys.modules["__main__"] = main
        sys.setrecursionlimit(kept[8])


def run_here(folder, script):
    """Runs one script in this process; what it wrote to stdout, and the traceback if it failed."""
    os.chdir(os.path.join(ROOT, folder))
    written = io.BytesIO()
    trouble = None
    with untouched_process(script):
        stream = io.TextIOWrapper(written, encoding="utf-8", errors="surrogateescape", write_through=True)
        sys.stdout = stream
        module = types.ModuleType("__main__")
        module.__file__ = script
        module.__dir__ = os.path.dirname(script) or "."
        sys.modules["__main__"] = module
        try:
            with open(script, encoding="utf-8-sig") as file:
                code = compile(file.read(), script, "exec", dont_inherit=True)
            exec(code, module.__dict__)
        except SystemExit:
            pass
        except BaseException:
            trouble = traceback.format_exc()
        stream.flush()
    gc.collect()
    return spell(written.getvalue().decode("utf-8", "surrogateescape")), trouble


def run_apart(folder, script):
    """Runs one script in a Python of its own; its stdout and its stderr with folder names made relative."""
    place = os.path.join(ROOT, folder)
    env = dict(os.environ, PYTHONIOENCODING="utf-8", PYTHONWARNINGS="ignore", PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run([sys.executable, script], cwd=place, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=DEADLINE_SECONDS)
    trouble = None if done.returncode == 1 else f"exit code {done.returncode}, not 1"
    err = done.stderr.decode("utf-8", "surrogateescape").replace(place + os.sep, "")
    return spell(done.stdout.decode("utf-8", "surrogateescape")), spell_traceback(err), trouble


def settle(path, text, is_check):
    """Writes or compares one expectation; a description of the difference, if there is one."""
    old = None
    if os.path.exists(path):
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            old = file.read()
    if old == text:
        return None
    if is_check:
        if old is None:
            return "no expectation is stored"
        return "\n".join(difflib.unified_diff(old.splitlines(), text.splitlines(), "stored", "python", lineterm="", n=1))
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)
    return None


def main():
    words = sys.argv[1:]
    is_check = "--check" in words
    wanted = [word for word in words if not word.startswith("--")]
    builtins.true, builtins.false, builtins.none = True, False, None
    sys.dont_write_bytecode = True
    warnings.simplefilter("ignore")
    compiled = (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES)
    source = (importlib.machinery.SourceFileLoader, [".zpy", ".py"])
    sys.path_hooks.insert(0, importlib.machinery.FileFinder.path_hook(compiled, source))
    sys.path_importer_cache.clear()
    ran = bad = 0
    for folder in ("lang", "next", "lang_errors"):
        for script in scripts(folder):
            full = os.path.join(ROOT, folder, script)
            if wanted and not any(word in os.path.join(folder, script) for word in wanted):
                continue
            if not is_for_this_python(full):
                continue
            ran += 1
            stem = full[: -len(".zpy")]
            problems = []
            if folder == "lang_errors":
                out, err, trouble = run_apart(folder, script)
                problems.append(settle(stem + ".err", err, is_check))
                if out or os.path.exists(stem + ".out"):
                    problems.append(settle(stem + ".out", out, is_check))
            else:
                out, trouble = run_here(folder, script)
                problems.append(settle(stem + ".out", out, is_check))
            problems.append(trouble)
            problems = [problem for problem in problems if problem]
            if problems:
                bad += 1
                print(f"--- {folder}/{script}")
                print("\n".join(problems))
    print(f"oracle: {ran} scripts under Python {sys.version.split()[0]}, {bad} in disagreement")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
