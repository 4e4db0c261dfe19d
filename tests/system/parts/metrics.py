"""The text format of Prometheus, read strictly: a line that breaks the format is a failure.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""
import re

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\S+)(?: \d+)?$")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')


class Metrics:
    def __init__(self, text):
        assert text.endswith("\n"), "the last line must end with a line feed"
        self.samples, self.types = [], {}
        seen = set()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert kind in ("counter", "gauge", "histogram", "summary", "untyped"), line
                assert name not in self.types, f"two types: {line}"
                self.types[name] = kind
            elif line and not line.startswith("#"):
                sample = _sample(line)
                key = (sample[0], tuple(sorted(sample[1].items())))
                assert key not in seen, f"twice: {line}"
                seen.add(key)
                self.samples.append(sample)

    def total(self, name, **labels):
        """The sum of all samples of `name` that carry these labels; None if there is none."""
        found = [value for sample, own, value in self.samples
                 if sample == name and labels.items() <= own.items()]
        return sum(found) if found else None


def _sample(line):
    match = _SAMPLE.match(line)
    assert match, f"not a sample: {line!r}"
    name, labels, value = match.groups()
    found, at = {}, 0
    while labels and at < len(labels):
        label = _LABEL.match(labels, at)
        assert label, f"not labels: {line!r}"
        assert label[1] not in found, f"a label twice: {line!r}"
        found[label[1]] = label[2]
        at = label.end()
    return name, found, float(value)
