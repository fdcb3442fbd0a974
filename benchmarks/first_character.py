"""Seconds from starting `sample.py` to the first character of its answer, the median of five.

    python benchmarks/first_character.py --model out/small
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="out/small")
    args = parser.parse_args(argv)
    spent = []
    for _ in range(5):
        begun = time.monotonic()
        process = subprocess.Popen([sys.executable, os.path.join(ROOT, "sample.py"), "--model", args.model, "--prompt", "Hello!"],
                                   stdout=subprocess.PIPE)
        process.stdout.read(1)
        spent.append(time.monotonic() - begun)
        process.communicate()
    print(f"first character after {statistics.median(spent):.1f} s (of {', '.join(f'{s:.1f}' for s in sorted(spent))})")


if __name__ == "__main__":
    main()
