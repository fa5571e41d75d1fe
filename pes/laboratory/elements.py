"""Processing elements that read samples."""

from __future__ import annotations

from collections.abc import Sequence

from flowquake import Output, Production, Source, Watermark
from flowquake.pes.catalogs.elements import Paths, as_paths, note_report
from flowquake.pes.catalogs.reports import check_policy
from flowquake.pes.laboratory.samples import read_samples
from flowquake.records import SampleBatch


class ReadSamples(Source):
    """Read stress, strain or other samples of experiments, or tilt, from files.

    Parameters
    ----------
    path : path or list of paths
        The files; each is a split.
    format : {"auto", "two-columns", "table", "tilt"}
        How they are written.
    value : str, optional
        Name of the value of two columns; default by the file's name.
    unit : str, optional
        Of that value.
    policy : {"strict", "skip", "quarantine"}
        What to do with a bad row.
    source : str, optional
        The experiment or station; default the file's stem.
    """

    samples = Output(SampleBatch)

    path: Paths
    format: str = "auto"
    value: str | None = None
    unit: str | None = None
    policy: str = "strict"
    source: str | None = None

    def __post_init__(self) -> None:
        check_policy(self.policy)

    def splits(self) -> Sequence[str]:
        """Name the files."""
        return as_paths(self.path)

    def produce(self, split: object) -> Production:
        """Read one file."""
        batch, report = read_samples(
            str(split), format=self.format, name=self.value, unit=self.unit,
            policy=self.policy, source=self.source,
        )  # fmt: skip
        note_report(self, report)
        yield self.samples(batch)
        yield Watermark(int(batch.time[-1]) + 1)
