"""A Kafka broker in one process, kept in memory, for rehearsals of the cluster suite: `python3 -m broker --port 9092`.

Real are: idempotent sequences, transactions (open ones hidden behind the last stable offset, aborted ones from
read-committed readers, time-outs, fencing by epoch), offsets in transactions with the check of generation and
instance, groups with static members, topics and their settings, offsets by time. Not there: replication, files,
compaction, retention by time, security, quotas. It was written beside driftgate: what passes here still has to pass on Kafka.
"""

import argparse
import asyncio
import signal

from .server import Server


async def main():
    parser = argparse.ArgumentParser(prog="broker", description="A Kafka broker in memory, for rehearsals.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--retention-bytes", type=int, help="of a partition; all is kept if left out")
    parser.add_argument(
        "--slow", type=float, default=0, metavar="MS",
        help="longest extra time of each request of a transaction, so that faults hit one")
    options = parser.parse_args()
    broker = Server("127.0.0.1", options.retention_bytes, options.slow / 1000)
    server = await broker.start(options.port)
    print(f"127.0.0.1:{broker.port}", flush=True)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
    server.close()
    counts = ", ".join(f"{count} {what}" for what, count in broker.transactions.counts.items())
    print(f"transactions: {counts}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
