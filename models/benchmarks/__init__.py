"""How fast the engine is, and how good: beside transformers as it comes, and beside other servers.

    prompts      real code, cut to prompts
    subject      a model of this process, measured
    peer         a llama-server, measured the same way
    turns        they take turns
    figures      what was measured, and ratios of it
    speculating  decoding with drafts and without
    starting     from the start of an engine process to its first token, and its memory
    quality      what quantisation costs
    precisions   every way of holding the weights that this machine can run
    machine      what it was measured on, and who else was using it
    run          all of it, from beginning to end: a `report`

Nothing here prints, or knows what a language is: code comes in under the name of its language.
"""
