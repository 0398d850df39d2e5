"""What of the workspace matters at a place: candidates, each with its reasons, best first.

    question    what is asked, and what the answer is made of
    scene       what the document says round the cursor: names by nearness, receiver, imports, bindings
    chains      the expression before the cursor's dot
    lookup      the index as one question uses it: of many definitions of a name, the likeliest
    modules     what imports and modules offer
    shapes      from an expression to the types it may have, and to their members
    affinity    how well a name fits the words round the cursor
    sources     where candidates come from, one function each
    rank        all of it in one order, within a deadline
    walk        for a conversation: personalised PageRank over who uses whose names

Pure but for the index, which is only read; the same facts give the same order, ties break by path,
then by place.
"""
