"""sparse.py [MIB [HOT_PERCENT [EVERY [PAUSE_MS]]]]: a table of which a part is written all over at random, and of the rest one
page in EVERY once; with a pause after each unit of work."""

import sys
import time

import numpy

given = sys.argv[1:]
mib, hot_percent, every, pause_ms = [int(word) for word in (*given, *("1024", "25", "16", "0")[len(given) :])]
table = numpy.zeros(mib << 17)
hot = len(table) * hot_percent // 100
table[hot :: every * 512] = 1
table[:hot] = 1
draw = numpy.random.default_rng(1)
print("ready", flush=True)
while True:
    places = draw.integers(0, hot, 100_000)
    for _ in range(5):
        table[places] += 1
        places = (places * 7919 + 1) % hot
    print("unit", flush=True)
    time.sleep(pause_ms / 1000)
