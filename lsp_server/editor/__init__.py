"""The protocol and the session: what editors send and get.  The only place that knows pygls."""
