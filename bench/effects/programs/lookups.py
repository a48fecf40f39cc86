"""lookups.py [ROWS [HOT_PERCENT [PAUSE_MS]]]: SQLite in memory, rows of 200 bytes with an index; a part of them is looked up
and updated at random, 2,000 a unit of work; with a pause after each."""

import random
import sqlite3
import sys
import time

given = sys.argv[1:]
rows, hot_percent, pause_ms = [int(word) for word in (*given, *("1000000", "25", "0")[len(given) :])]
base = sqlite3.connect(":memory:", isolation_level=None)
base.execute("create table t(id integer primary key, a integer, b text)")
base.execute("begin")
base.executemany("insert into t values (?, ?, ?)", ((i, i * 7919 % rows, f"{i:0200}") for i in range(rows)))
base.execute("create index by_a on t(a)")
base.execute("commit")
draw = random.Random(1)
hot = rows * hot_percent // 100
print("ready", flush=True)
while True:
    base.execute("begin")
    for _ in range(2_000):
        at = draw.randrange(hot)
        base.execute("select length(b) from t where id = ?", (at,)).fetchone()
        base.execute("update t set b = ? where id = ?", (f"{at:0200}", at))
    base.execute("commit")
    print("unit", flush=True)
    time.sleep(pause_ms / 1000)
