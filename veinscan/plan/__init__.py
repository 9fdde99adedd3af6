"""The plan: injection targets, verdicts on candidates, and the edits that make them.

`model` holds plain frozen values, `editing` the pure functions that the
window, the command line and the demo all use, `veins` the names, `as_json`
the view that `--json` prints.  Where it is stored is the business of
`veinscan.record`.
"""
