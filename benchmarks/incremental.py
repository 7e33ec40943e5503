"""One more night against everything anew, on the demonstration's ninety days."""

from benchmarks import homes
from benchmarks.figure import Figure
from benchmarks.fresh import fresh_on_copies, median


def figures() -> list[Figure]:
    """Measure the CPU of folding one day and reviewing its night, and of folding all days anew."""
    one = median(fresh_on_copies("fold_last", homes.due("demo")), lambda run: run.laps["fold"].cpu)
    everything = fresh_on_copies("fold_all", homes.folded("demo"))
    fold = median(everything, lambda run: run.laps["fold"].cpu)
    review = median(fresh_on_copies("review_last", homes.folded("demo")), lambda run: run.laps["review"].cpu)
    days = everything[0].told["days"]
    whole = f"({fold:.2f} s + {days:.0f} × {review:.2f} s) / ({one:.2f} s + {review:.2f} s)"
    return [
        _figure("one day folded: CPU", one, "s"),
        _figure("one night reviewed: CPU", review, "s"),
        _figure(f"all {days:.0f} days folded: CPU", fold, "s"),
        _figure("folding all / folding one", fold / one, "times", 25),
        _figure("folding all / (folding one + its review)", fold / (one + review), "times", 25),
        _figure(
            "all days and nights / (one day + its night)", (fold + days * review) / (one + review), "times", 25, whole
        ),
    ]


def _figure(what: str, value: float, unit: str, limit: float | None = None, note: str = "") -> Figure:
    return Figure(benchmark="incremental", what=what, value=value, unit=unit, limit=limit, sense=">=", note=note)
