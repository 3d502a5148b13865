"""The load against its peers, in turns, on one server: `python -m bench.peers --rows 3m --rounds 3`.

Rows that are read count, so that nobody gains by leaving some out. The slow ones get fewer rows.
"""

import argparse
from collections import defaultdict
from pathlib import Path

from bench.machine import describe
from bench.peers.contest import FLOOR, PEERS, Finish, Peer, install_scripts, run
from bench.peers.table import Line, as_markdown, faster, write_between
from bench.peers.target import Target, prepare
from bench.ratios import alternating
from bench.server import ROOT, Server, running_server
from bench.sizes import rows_of, spoken
from bench.sources import Source
from bench.trees import THIS

CAURI, FROM_PARQUET = "`cauri load`, CSV", "`cauri load`, Parquet"
PAGE = ROOT / "docs" / "performance.md"
Seconds = dict[str, list[float]]


def main() -> None:
    """Measure, print the table, write it if wanted."""
    options = _options()
    peers = [peer for peer in PEERS if not options.only or any(word in peer.name.lower() for word in options.only)]
    install_scripts()
    with running_server(options.folder) as server:
        targets = {
            rows: prepare(server, Source(rows).folder(server.folder), spoken(rows))
            for rows in {_rows(peer, options) for peer in peers}
        }
        parquet = Source(options.rows, "parquet").folder(server.folder)
        seconds, same = _measure(server, peers, targets, parquet, options)
        heading = f"`just bench-peers {_said(options)}` on {describe(server.version)}:"
        server.drop("bench_peer", "bench_load", *(target.template for target in targets.values()))
    text = f"{heading}\n\n{as_markdown(_lines(peers, seconds, same, options))}"
    print(f"\n{text}")
    if options.write:
        write_between(PAGE, text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just bench-peers", description=__doc__)
    parser.add_argument("--rows", type=rows_of, default=rows_of("3m"), help="300k, 3m, 36m or a number")
    parser.add_argument("--slow-rows", type=rows_of, default=rows_of("50k"), help="rows of the slow ones")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--only", action="append", type=str.lower, help="peers whose name has this word; may be repeated"
    )
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.relative_to(ROOT)}")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".cauri-bench", help="where the server and the files are kept"
    )
    return parser.parse_args()


def _said(options: argparse.Namespace) -> str:
    return f"--rows {spoken(options.rows)} --slow-rows {spoken(options.slow_rows)} --rounds {options.rounds}"


def _rows(peer: Peer, options: argparse.Namespace) -> int:
    rows: int = min(options.slow_rows, options.rows) if peer.slow else options.rows
    return rows


def _measure(
    server: Server, peers: list[Peer], targets: dict[int, Target], parquet: Path, options: argparse.Namespace
) -> tuple[Seconds, dict[str, bool]]:
    seconds: Seconds = defaultdict(list)
    same: dict[str, bool] = {}
    by_name = {peer.name: peer for peer in peers}
    csv = Source(options.rows).folder(server.folder)
    for number in range(options.rounds):
        for name in alternating([CAURI, *by_name, FROM_PARQUET], number):
            if name in by_name:
                finish = run(by_name[name], server, targets[_rows(by_name[name], options)])
            else:
                finish = _load(server, csv if name == CAURI else parquet)
            seconds[name].append(finish.seconds)
            same[name] = same.get(name, True) and finish.same
            print(f"round {number + 1}: {finish.seconds:8.2f} s  {name}", flush=True)
    return seconds, same


def _load(server: Server, source: Path) -> Finish:
    return Finish(THIS.load(server.fresh("bench_load"), source)["wall"], same=True)


def _lines(peers: list[Peer], seconds: Seconds, same: dict[str, bool], options: argparse.Namespace) -> list[Line]:
    rows = options.rows
    ours = seconds[CAURI]
    lines = [Line(CAURI, rows, tuple(ours), None, None)]
    for peer in peers:
        theirs = tuple(seconds[peer.name])
        ratio = faster(ours, rows, theirs, _rows(peer, options))
        lines.append(Line(peer.name, _rows(peer, options), theirs, ratio, same[peer.name]))
        if peer is FLOOR:
            ratio = faster(seconds[FROM_PARQUET], rows, theirs, rows)
            lines.append(Line(f"the floor, against {FROM_PARQUET}", rows, theirs, ratio, same[peer.name]))
    return lines


if __name__ == "__main__":
    main()
