#!/usr/bin/env python3
# Makes the manual pages out of what says the same already: the program's help, the headers, the documents.
# SPDX-License-Identifier: MIT
#
# usage: tools/manpages.py help OUTPUT PROGRAM       drysock(1), out of `drysock --help` and of each command's
#        tools/manpages.py header OUTPUT HEADER      a page of section 3, out of a header's comments
#        tools/manpages.py document OUTPUT FILE      a page of section 7, out of Markdown
import pathlib
import re
import subprocess
import sys


def plain(text):
    """Text that roff must not read as anything else."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    text = "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in text)
    return re.sub(r"^([.'])", r"\\&\1", text)


def inline(text):
    """Markdown within a line: code is bold, emphasis italic, links their words."""
    text = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text)
    parts = re.split(r"(`[^`]+`|\*\*[^*]+\*\*|(?<!\w)\*[^*\s][^*]*\*(?!\w))", text)
    out = ""
    for part in parts:
        if part.startswith("`") and len(part) > 2:
            out += "\\fB" + plain(part[1:-1]).removeprefix("\\&") + "\\fR"
        elif part.startswith("**") and len(part) > 4:
            out += "\\fB" + inline(part[2:-2]).removeprefix("\\&") + "\\fR"
        elif part.startswith("*") and len(part) > 2 and part.endswith("*"):
            out += "\\fI" + plain(part[1:-1]).removeprefix("\\&") + "\\fR"
        else:
            out += plain(part) if not out else plain(part).removeprefix("\\&")
    return out


def code(lines):
    return [".PP", ".in +2n", ".nf", *[plain(line) or "\\&" for line in lines], ".fi", ".in"]


def page(name, section, caption, body):
    return "\n".join([f'.TH {name.upper()} {section} "" "drysock" "drysock"', ".SH NAME",
                      f"{plain(name)} \\- {plain(caption)}", *body]) + "\n"


def help_page(program):
    def said(*words):
        return subprocess.run([program, "--help", *words], capture_output=True, text=True,
                              check=True).stdout.rstrip().splitlines()
    whole = said()
    body = [".SH SYNOPSIS", ".nf", *[plain(re.sub(r"^(usage:)? *", "", line)) for line in whole
                                     if line.startswith(("usage:", "       drysock"))], ".fi",
            ".SH DESCRIPTION", "Runs scenarios of socket code in a simulated world and on the kernel, and compares "
            "what each shows. The language of scenarios is \\fBdrysock\\-scenario\\fR(7).", ".SH COMMANDS"]
    for line in whole:
        match = re.match(r"  (\w+) {2,}\S", line)
        if match:
            body += [f".SS {match[1]}", *code(said(match[1]))[1:]]
    body += [".SH SEE ALSO", "\\fBdrysock\\-scenario\\fR(7), \\fBdrysock_socket\\fR(3), \\fBdrysock_sim\\fR(3)"]
    return page("drysock", 1, "a dry run for socket code", body)


def header_page(path):
    text = path.read_text()
    caption, rest = re.match(r"/\* (.*?)\n \* SPDX[^\n]*\n(.*)", text, re.S).groups()
    rest = re.sub(r"#ifdef __cplusplus\n.*?#endif\n", "", rest, flags=re.S)
    rest = rest[:rest.rindex("#endif")].replace("DRY_PUBLIC ", "")
    top, rest = rest.split("*/", 1)
    body = [".SH SYNOPSIS", f".B #include <drysock/{path.name}>", ".SH DESCRIPTION"]
    paragraphs = re.sub(r"^ \* ?", "", top, flags=re.M).strip().split("\n\n")
    for paragraph in paragraphs:
        body += [".PP", *[plain(line) for line in paragraph.splitlines() if line.strip()]]
    block = []

    def flush():
        while block and not block[-1].strip():
            block.pop()
        if block:
            body.extend(code(block))
        block.clear()
    for line in rest.splitlines():
        heading = re.match(r"/\* -+ (.*?) -+ \*/", line)
        if heading:
            flush()
            body.append(f".SH {plain(heading[1]).upper()}")
        elif not re.match(r"#(ifndef|define) DRYSOCK_", line) and (line.strip() or block):
            block.append(line)
    flush()
    name = "drysock_" + path.stem
    return page(name, 3, caption.strip().rstrip("."), body)


def document_page(path):
    lines = path.read_text().splitlines()
    body, at, title = [], 0, ""
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith("<!--"):
            continue
        if line.startswith("# "):
            title = line[2:]
        elif line.startswith("## "):
            body.append(f".SH {plain(line[3:]).upper()}")
        elif line.startswith("### "):
            body.append(f".SS {plain(line[4:])}")
        elif line.startswith("```"):
            end = lines.index("```", at)
            body += code(lines[at:end])
            at = end + 1
        elif line.startswith("    ") and (at < 2 or not lines[at - 2].startswith(("- ", "  "))):
            end = at
            while end < len(lines) and lines[end].startswith("    "):
                end += 1
            body += code([text[4:] for text in lines[at - 1:end]])
            at = end
        elif line.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if set(line) <= set("|- ") or (at < len(lines) and set(lines[at]) <= set("|- ") and lines[at]):
                continue
            body += [".TP", inline(cells[0]), "; ".join(inline(cell) for cell in cells[1:] if cell)]
        elif line.startswith("- "):
            body += ['.IP "\\(bu" 2', inline(line[2:])]
        elif line.strip():
            if not lines[at - 2].strip():
                body.append(".PP")
            body.append(inline(line.strip()))
    return page("drysock-scenario", 7, title[:1].lower() + title[1:], body)


def main():
    kind, output, source = sys.argv[1:4]
    made = (help_page(source) if kind == "help" else
            header_page(pathlib.Path(source)) if kind == "header" else document_page(pathlib.Path(source)))
    pathlib.Path(output).write_text(made)


if __name__ == "__main__":
    main()
