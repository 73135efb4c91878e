"""Print the table of results in a directory, and write it and plots there.

usage: report.py DIRECTORY

Reads *.tsv, as bench/run.sh writes them, a file per workload; writes
results.md, ratios.svg, and held-snapshot.svg, the curves of speed over time.
"""

import math
import pathlib
import sys
from html import escape

GOOD, BAD, PLAIN = "#2a7f62", "#c4512d", "#8a8f98"
COLOURS = [GOOD, "#3264a8", "#8b5fb0", BAD]
FONT = 'font-family="sans-serif" font-size="12" fill="#222"'


class Row:
    """A comparison: see judge in run.sh for the fields."""

    def __init__(self, workload, kind, fields):
        self.workload = workload
        self.skipped = None
        self.title, self.baseline, self.target = fields[:3]
        if kind == "skipped":
            self.skipped = fields[3]
            return
        self.ratio, self.low, self.high = map(float, fields[3:6])
        self.unit, self.figure, self.base_figure = fields[6:9]

    def met(self):
        """Whether it is on target; None if there is none, or no figure."""
        if self.skipped or self.target == "-":
            return None
        comparison, bound = self.target.split()
        return {">=": self.ratio >= float(bound),
                "<=": self.ratio <= float(bound),
                "<": self.ratio < float(bound)}[comparison]


class Results:
    def __init__(self, directory):
        self.rows, self.runs, self.curves = [], [], {}
        for path in sorted(directory.glob("*.tsv")):
            for line in path.read_text().splitlines():
                kind, *fields = line.split("\t")
                if kind == "run":
                    self.runs.append((path.stem, *fields))
                elif kind == "curve":
                    self.curves.setdefault(fields[0], []).append(
                        (float(fields[1]), float(fields[2])))
                else:
                    self.rows.append(Row(path.stem, kind, fields))


def number(value):
    """A figure with three digits that count."""
    value = float(value)
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{round(value, 2 - math.floor(math.log10(abs(value)))):,.{digits}f}"


def table(results):
    yield ["#", "workload", "baseline", "target", "ratio", "", "lowest to highest",
           "figures"]
    for row in results.rows:
        first = [str(int(row.workload[:2])), row.title, row.baseline,
                 "" if row.target == "-" else row.target]
        if row.skipped:
            yield [*first, "skipped", "", "", row.skipped]
            continue
        figures = number(row.figure)
        if row.base_figure:
            figures += " : " + number(row.base_figure)
        yield [*first, number(row.ratio),
               {True: "met", False: "**not met**", None: ""}[row.met()],
               f"{number(row.low)} to {number(row.high)}",
               f"{figures} {row.unit}"]


def markdown(rows):
    """Lines of a table whose columns are as wide as they need."""
    rows = list(rows)
    rows.insert(1, ["---"] * len(rows[0]))
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        yield "| " + " | ".join(f"{cell:{width}}" for cell, width
                                in zip(row, widths)) + " |"


def text(x, y, words, anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {FONT}>'
            f"{escape(words)}</text>")


def line(x1, y1, x2, y2, colour="#ccc", width=1):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"/>')


def svg(path, width, height, parts):
    path.write_text("\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
         f'height="{height}" viewBox="0 0 {width} {height}">',
         f'<rect width="{width}" height="{height}" fill="white"/>',
         *parts, "</svg>", ""]))


def plot_ratios(rows, path):
    """A bar from 1 to each ratio, and a mark at its target."""
    rows = [row for row in rows if not row.skipped and row.target != "-"
            and row.ratio > 0]
    left, right, top, step = 470, 60, 40, 20
    width, height = 1000, top + step * len(rows) + 20
    bounds = [float(row.target.split()[1]) for row in rows]
    low = min([0.1, *(row.ratio for row in rows)])
    high = max([10, *bounds, *(row.ratio for row in rows)])

    def x(value):
        return left + (width - left - right) * math.log(value / low) / math.log(high / low)

    parts = [text(left, 16, "ratio to the baseline (logarithmic); "
                            "the mark is the target; green: met")]
    for tick in (0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100):
        if low <= tick <= high:
            parts += [line(x(tick), top - 6, x(tick), height - 14,
                           "#888" if tick == 1 else "#ddd"),
                      text(x(tick), top - 10, f"{tick:g}", "middle")]
    for index, (row, bound) in enumerate(zip(rows, bounds)):
        y = top + step * index
        begin, end = sorted((x(1), x(row.ratio)))
        colour = GOOD if row.met() else BAD
        parts += [
            text(left - 8, y + 13, f"{int(row.workload[:2])}. {row.title} : {row.baseline}",
                 "end"),
            f'<rect x="{begin:.1f}" y="{y + 3}" width="{max(1, end - begin):.1f}" '
            f'height="{step - 7}" fill="{colour}"/>',
            line(x(bound), y, x(bound), y + step - 1, "#222", 2),
            text(max(end, x(bound)) + 5, y + 13, number(row.ratio))]
    svg(path, width, height, parts)


def plot_curves(curves, path):
    """Relative speeds over time, as parts of the mean in the first tenth."""
    width, height, left, top = 800, 420, 50, 30
    bottom, right = 130, 20
    longest = max(points[-1][0] for points in curves.values())
    unit, unit_name = (60, "minutes") if longest > 120 else (1, "seconds")
    highest = 1.2

    def x(seconds):
        return left + (width - left - right) * seconds / longest

    def y(part):
        return top + (height - top - bottom) * (1 - min(part, highest) / highest)

    parts = [text(left, 16, "speed while another session holds a snapshot, relative to "
                            "INSERTs by turns with it; 1: the first tenth of the time")]
    for tick in (0, 0.25, 0.5, 0.75, 1):
        parts += [line(left, y(tick), width - right, y(tick)),
                  text(left - 6, y(tick) + 4, f"{tick:g}", "end")]
    for tick in range(6):
        at = longest * tick / 5
        parts.append(text(x(at), height - bottom + 18, f"{at / unit:.1f}", "middle"))
    parts.append(text(width - right, height - bottom + 36, unit_name, "end"))
    for index, (title, points) in enumerate(curves.items()):
        colour = COLOURS[index % len(COLOURS)]
        first = [speed for at, speed in points if at <= points[-1][0] / 10] or [points[0][1]]
        mean = sum(first) / len(first)
        path_points = " ".join(f"{x(at):.1f},{y(speed / mean):.1f}"
                               for at, speed in points)
        at = height - bottom + 48 + 18 * index
        parts += [f'<polyline points="{path_points}" fill="none" '
                  f'stroke="{colour}" stroke-width="1.5"/>',
                  line(left, at - 4, left + 24, at - 4, colour, 3),
                  text(left + 32, at, title)]
    svg(path, width, height, parts)


def main():
    directory = pathlib.Path(sys.argv[1])
    results = Results(directory)
    if not results.rows:
        sys.exit("no results")
    rows = "\n".join(markdown(table(results)))
    print(rows)
    targets = [row.met() for row in results.rows if row.met() is not None]
    print(f"{sum(targets)} of {len(targets)} targets met")
    runs = "\n".join(markdown(
        [["workload", "run", "on", "load before", "after", "rounds"],
         *results.runs]))
    quick = ""
    if any(run[1] == "quick" for run in results.runs):
        quick = ("**Some of these are of quick runs, with small sizes: to see "
                 "that it works, not to be quoted.**\n\n")
    machine = (directory / "machine.txt").read_text()
    (directory / "results.md").write_text(
        "# Results of bench/run.sh\n\nWritten by `bench/report.py`; "
        "[docs/performance.md](../../docs/performance.md) explains it.\n\n"
        f"{quick}{rows}\n\n{sum(targets)} of {len(targets)} targets met.\n\n"
        f"```text\n{machine}```\n\n{runs}\n")
    plot_ratios(results.rows, directory / "ratios.svg")
    if results.curves:
        plot_curves(results.curves, directory / "held-snapshot.svg")


main()
