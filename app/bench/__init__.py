"""Measure any server that speaks OpenAI's API: `openfaze bench`.

`scenario` reads a scenario and makes its requests; `load` sends them and measures the responses; `report` sums the
measurements up, for people and for programs.
"""
