"""Runs one test class of CPython's test package and writes the outcome of each test as JSON.

SPDX-License-Identifier: MIT

    one_class.py OUTPUT MODULE CLASS
"""
import importlib
import json
import sys
import unittest

output, module, name = sys.argv[1:]
outcomes = {}


class Recorder(unittest.TextTestResult):
    """Keeps what unittest says of each test."""

    def _keep(self, test, outcome):
        outcomes.setdefault(test.id(), outcome)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._keep(test, 'pass')

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._keep(test, 'skip')

    def addError(self, test, err):
        super().addError(test, err)
        self._keep(test, 'fail')

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._keep(test, 'fail')


cases = getattr(importlib.import_module('test.' + module), name)
runner = unittest.TextTestRunner(resultclass=Recorder, verbosity=2)
runner.run(unittest.defaultTestLoader.loadTestsFromTestCase(cases))
with open(output, 'w', encoding='utf-8') as out:
    json.dump(outcomes, out)
