"""Print what each provider makes of each fault, as the contract test demands it.

PYTHONPATH=tests:tests/providers python tests/providers/fault_table.py
"""

from test_contract import SUBJECTS

from gateway.model import Reading

CLASSES = {
    "NoAnswer": "unreachable",
    "ProviderUnreachable": "unreachable",
    "ProviderRejected": "rejected",
    "MayPass": "rejected",
    "ProviderUnreadable": "unreadable",
}


def told(answer: Reading | str) -> str:
    """The kind of error, or the value."""
    if isinstance(answer, Reading):
        return f"value {answer.text or 'empty text'}"
    name = answer.partition(":")[0]
    return CLASSES.get(name, name)


def main() -> None:
    """One row for each provider."""
    faults = list(next(iter(SUBJECTS.values())).answers)
    print("| provider |", " | ".join(faults), "|")  # noqa: T201 - it is there to be read
    print("|---" * (len(faults) + 1) + "|")  # noqa: T201 - it is there to be read
    for name, subject in SUBJECTS.items():
        print(f"| {name} |", " | ".join(told(subject.answers[fault]) for fault in faults), "|")  # noqa: T201 - it is there to be read


if __name__ == "__main__":
    main()
