"""Measures any server that speaks OpenAI's API: `openfaze bench`.

`scenario` reads what to ask, and makes the requests; `load` sends them, and measures the responses; `report` sums the
measurements up, for people and for programs.
"""
