"""The fenced blocks of a Markdown file, with the comment above each."""

import re

FENCE = re.compile(r"^( *)(`{3,}|~{3,})\s*([\w+-]*)\s*$")


class Block:
    """`line` is the number of the first line within the fence. `comment` is the text of an HTML comment directly
    above the block, without the marks, and `comment_line` the line where the comment begins."""

    def __init__(self, language, line, comment, comment_line):
        self.language, self.line = language, line
        self.comment, self.comment_line = comment, comment_line
        self.text = ""


def blocks(text):
    """Every fenced block. Throws ValueError if a fence or comment does not end."""
    lines = text.split("\n")
    comment, comment_line = None, 0
    i = 0
    while i < len(lines):
        line = lines[i]
        fence = FENCE.match(line)
        if line.lstrip().startswith("<!--"):
            comment_line = i + 1
            end = next((j for j in range(i, len(lines)) if "-->" in lines[j]), None)
            if end is None:
                raise ValueError(f"line {comment_line}: a comment that does not end")
            comment = "\n".join(lines[i : end + 1])
            comment = comment[comment.index("<!--") + 4 : comment.index("-->")]
            i = end + 1
        elif fence:
            indent, marks, language = fence.groups()
            block = Block(language, i + 2, comment, comment_line)
            closing = re.compile(rf"^ *{marks[0]}{{{len(marks)},}}\s*$")
            end = next((j for j in range(i + 1, len(lines)) if closing.match(lines[j])), None)
            if end is None:
                raise ValueError(f"line {i + 1}: a fence that does not end")
            body = [one[len(indent) :] if one[: len(indent)].isspace() else one for one in lines[i + 1 : end]]
            block.text = "".join(one + "\n" for one in body)
            yield block
            comment = None
            i = end + 1
        else:
            if line.strip():
                comment = None
            i += 1
