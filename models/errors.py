"""What can go wrong with a model or its engine.

    ModelsError
    ├── UnknownModelError        a name that is not in the catalogue
    ├── WeightsError             the files on disk
    │   ├── WeightsMissingError  not pulled yet
    │   ├── HashMismatchError    pulled, but not what the publisher published
    │   ├── DiskFullError        not enough room
    │   ├── PullError            no source answered
    │   └── UnsupportedWeightsError  a file or architecture we cannot run
    ├── EngineError              the process that holds the model
    │   ├── EngineUnavailableError   it cannot be reached or started
    │   ├── EngineLostError          it went away in the middle of a request
    │   └── RequestRefusedError      it answered, with a reason not to serve this request
    ├── PromptError              a prompt this model has no layout for
    └── BenchmarkError           what was to be measured cannot be measured

Every message names the thing, the value and the fix.  Cancellation is not an error.
"""

from __future__ import annotations


class ModelsError(Exception):
    """Root of this package's exceptions."""


class UnknownModelError(ModelsError):
    pass


class WeightsError(ModelsError):
    pass


class WeightsMissingError(WeightsError):
    pass


class HashMismatchError(WeightsError):
    pass


class DiskFullError(WeightsError):
    pass


class PullError(WeightsError):
    pass


class UnsupportedWeightsError(WeightsError):
    pass


class EngineError(ModelsError):
    pass


class EngineUnavailableError(EngineError):
    pass


class EngineLostError(EngineError):
    pass


class RequestRefusedError(EngineError):
    pass


class PromptError(ModelsError):
    pass


class BenchmarkError(ModelsError):
    pass
