"""The laboratory: samples of stress, strain and tilt, and the times of experiments."""

from __future__ import annotations

from flowquake.pes.laboratory.elements import ReadSamples
from flowquake.pes.laboratory.experiments import Experiment, read_experiment
from flowquake.pes.laboratory.samples import SAMPLE_FORMATS, read_samples

__all__ = ["SAMPLE_FORMATS", "Experiment", "ReadSamples", "read_experiment", "read_samples"]
