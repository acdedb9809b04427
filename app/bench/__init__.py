"""Measures any server that speaks OpenAI's API: `openfaze bench`.

`scenario` reads what is to be asked, and makes the requests; `load` asks, and notes what came; `report` counts it
together, for people and for programs.
"""
