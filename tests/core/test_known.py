"""Types that several threads decode at once, in processes of their own: what would go wrong ends a process."""

import subprocess
import sys

KINDS = """
import sys, threading, types
from collections.abc import Callable
import msgspec
from tokengate.core.known import known

sys.setswitchinterval(1e-6)
for number in range(60):
    module = types.ModuleType(f"module{number}")
    sys.modules[module.__name__] = module
    fields = "    x: int = 0\\n    y: 'list[str] | None' = None\\n"
    inner = "".join(f"class In{n}(msgspec.Struct):\\n{fields}" for n in range(20))
    outer = "class Out(msgspec.Struct):\\n" + "".join(f"    f{n}: In{n}\\n" for n in range(20))
    exec("import msgspec\\n" + inner + outer, module.__dict__)
    kind = known(module.Out)
    start = threading.Barrier(4)

    def decode():
        start.wait()
        found = msgspec.convert({f"f{n}": {"x": n} for n in range(20)}, kind)
        assert found.f19.x == 19

    threads = [threading.Thread(target=decode) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""

WORDS = """
import sys, threading
from tokengate.reference import kinds, library, models, tree, words

sys.setswitchinterval(1e-6)
readers = [words.groups, words.parameter_words, words.status_words, words.request_headers, words.response_headers,
           kinds._kinds, models._home, tree._written] * 3
start = threading.Barrier(len(readers))
failed = []

def read(reader):
    start.wait()
    try:
        assert reader()
    except BaseException as error:
        failed.append(error)

threads = [threading.Thread(target=read, args=(reader,)) for reader in readers]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failed, failed
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_a_known_type_may_be_decoded_by_threads_at_once() -> None:
    done = run(KINDS)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_words_of_the_reference_may_be_read_by_threads_at_once() -> None:
    for _ in range(3):
        done = run(WORDS)

        assert (done.returncode, done.stderr) == (0, "")
