"""Measures any server that speaks OpenAI's API: `openfaze bench`.

`scenario` reads a scenario and makes its requests; `load` sends them and measures the responses; `report` summarises
the measurements for people and for programs.
"""
