"""Lets torchvision be imported beside a build of PyTorch that it was not made for: vLLM asks for its Python alone, and
this module of it for operators that are then not there."""

import sys
from types import ModuleType

_OPERATORS = "torchvision._meta_registrations"
sys.modules[_OPERATORS] = ModuleType(_OPERATORS)
