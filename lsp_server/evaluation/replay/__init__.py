"""Replaying recorded typing: how long does a person wait for a suggestion?

    traces → session → play, on our server (`ours`, over `rpc`) and on a peer (`peer`, with `ring`)
           → record → figures → plot

Every side is a real process that is spoken to as an editor speaks to it.
"""
