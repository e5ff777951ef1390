from tools.list_messages import messages

SOURCE = '''
def verb(path, count):
    """A docstring is not a message."""
    print(f"{count} trials in {path}")
    if not count:
        raise HarnessError("no trials " + f"in {path}")
    option("--all", help="Show all of them.")
    table.add("not a message")
    print("one" if count == 1 else "many trials")
    print("word")
'''


def test_messages_returns_raised_printed_and_help_texts():
    assert sorted(messages(SOURCE)) == [
        (4, "{} trials in {}"),
        (6, "no trials in {}"),
        (7, "Show all of them."),
        (9, "one | many trials"),
    ]
