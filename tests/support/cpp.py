"""C++ as far as checks of the sources need it: tokens without comments, in their brackets."""

import re

TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      |(?P<directive>^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*)
      |(?P<text>(?:u8|[uUL])?R"(?P<mark>[^()\\\s]*)\(.*?\)(?P=mark)"|(?:u8|[uUL])?"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')
      |(?P<number>\.?\d(?:'?[\w.])*)
      |(?P<word>[A-Za-z_]\w*)
      |(?P<mark2>::|->|&&|\S)""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
CLOSING = {"(": ")", "[": "]", "{": "}"}
# Behind these words an opening bracket is not a call, unlike behind a name.
PREFIXES = {"return", "co_return", "co_yield", "co_await", "case", "else", "do", "throw", "and", "or", "not"}
TYPES = {"namespace", "struct", "class", "union", "enum", "extern", "requires"}
BEFORE_BODY = {"else", "do", "try", "const", "override", "final", "noexcept", "mutable", "requires", ";", ":"}


class Token:
    def __init__(self, text, kind, line, offset):
        self.text, self.kind, self.line, self.offset = text, kind, line, offset
        self.last_line = line


class Group:
    """A pair of brackets and its contents: tokens and groups.

    `role` is "()", "block" ({} around statements or members), "body" (a lambda's), "braces" (any other {}),
    "capture" (a lambda's []), "binding" (auto [a, b]) or "index" (any other []).
    """

    text = kind = ""

    def __init__(self, role, line):
        self.role, self.line, self.last_line = role, line, line
        self.items = []
        self.end = None  # the position of the closing bracket


def tokens(source):
    """Every token except comments and directives; of literals only the quotes."""
    for match in TOKEN.finditer(source):
        kind = match.lastgroup if match.lastgroup != "mark" else "text"
        if kind not in ("comment", "directive"):
            line = source.count("\n", 0, match.start()) + 1
            yield Token('""' if kind == "text" else match[0], kind, line, match.start())


def comments(source):
    """(line, text) of every comment."""
    for match in TOKEN.finditer(source):
        if match.lastgroup == "comment":
            yield source.count("\n", 0, match.start()) + 1, match[0]


def parse(source):
    """The source as one block. Missing brackets, such as between #if and #else, are added."""
    root = Group("block", 1)
    stack = [(root, None)]
    for token in tokens(source):
        group = stack[-1][0]
        group.last_line = token.line
        if token.kind == "mark2" and token.text in CLOSING:
            inner = Group(role_of(token.text, group), token.line)
            group.items.append(inner)
            stack.append((inner, CLOSING[token.text]))
        elif token.kind == "mark2" and token.text in CLOSING.values():
            if token.text in [closing for _, closing in stack]:
                while True:
                    closed, closing = stack.pop()
                    closed.last_line = token.line
                    if closing == token.text:
                        closed.end = token.offset
                        break
        else:
            group.items.append(token)
    return root


def role_of(bracket, parent):
    """The role of an opening bracket, by the items before it in the same brackets."""
    if bracket == "(":
        return "()"
    items = parent.items
    last = items[-1] if items else None
    if bracket == "[":
        if last is not None and (last.text == "auto" or (last.text in ("&", "&&") and items[-2:-1] and items[-2].text == "auto")):
            return "binding"
        is_operand = last is not None and (
            isinstance(last, Group) or last.kind in ("text", "number") or (last.kind == "word" and last.text not in PREFIXES)
        )
        return "index" if is_operand else "capture"
    if follows_lambda(items):
        return "body"
    if parent.role not in ("block", "body"):
        return "block" if last is not None and last.text == "requires" else "braces"
    if last is None or last.text in BEFORE_BODY or (isinstance(last, Group) and last.role not in ("index", "capture")):
        return "block"
    words = [item.text for item in without_template_head(unit_before(items))]
    if "=" not in words and (TYPES & set(words) or "->" in words):
        return "block"
    return "braces"


def follows_lambda(items):
    """Whether the items end with [captures], and perhaps (parameters) and a return type."""
    parameters = 0
    for item in reversed(items):
        if isinstance(item, Group):
            if item.role == "capture":
                return True
            parameters += 1
            if item.role != "()" or parameters > 1:
                return False
        elif item.kind != "word" and item.text not in ("::", "->", "<", ">", "*", "&", "&&", ","):
            return False
    return False


def unit_before(items):
    """The items since the last statement ended."""
    unit = []
    for item in reversed(items):
        if item.text == ";" or (isinstance(item, Group) and item.role == "block"):
            break
        unit.append(item)
    return unit[::-1]


def without_template_head(items):
    """template <class T> at the beginning cut off."""
    if not items or items[0].text != "template":
        return items
    depth = 0
    for i, item in enumerate(items):
        depth += (item.text == "<") - (item.text == ">")
        if item.text == ">" and depth == 0:
            return items[i + 1 :]
    return items


def units(block):
    """The statements of a block. One ends at its semicolon, or before the block it has."""
    unit = []
    for item in block.items:
        if isinstance(item, Group) and item.role == "block":
            yield unit
            unit = []
        else:
            unit.append(item)
            if item.text == ";":
                yield unit
                unit = []
    yield unit


def split(items, mark):
    """The items in parts, at a token."""
    parts = [[]]
    for item in items:
        if item.text == mark:
            parts.append([])
        else:
            parts[-1].append(item)
    return parts


def walk(items):
    """Every item, with the (group, items, index) it lies in, outermost first. Lambdas' bodies are left out."""

    def inner(group, items, path):
        for i, item in enumerate(items):
            here = path + [(group, items, i)]
            yield item, here
            if isinstance(item, Group) and item.role not in ("block", "body"):
                yield from inner(item, item.items, here)

    return inner(None, items, [])


def blocks(group):
    """The group's block and every block in it, at any depth."""
    if group.role in ("block", "body"):
        yield group
    for item in group.items:
        if isinstance(item, Group):
            yield from blocks(item)
