"""The forward pass on a CPU, compiled for the processor it runs on (numba).

`probe` says whether it can be used here, `runner` is the `LanguageModel`.

    kernels, attention, passes    compiled loops; `*_ir` are those that numba cannot say
    weights, tiles, room, kv      what they work on: tables of addresses, and the memory behind them
    team                          the threads that run them
    cache                         where the compiled code is kept
"""
