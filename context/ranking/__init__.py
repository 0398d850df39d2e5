"""What of the workspace matters at a place: candidates, each with its reasons, best first.

    question    what is asked, and what the answer is made of
    scene       what the document says round the cursor: names by nearness, receiver, imports, bindings
    types       from an expression to the types it may have, and to their members
    sources     where candidates come from, one function each
    score       how a candidate's reasons become one number
    rank        all of it, within a deadline

Pure but for the index, which is only read; the same facts give the same order, ties break by path,
then by place.
"""
