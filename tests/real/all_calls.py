#!/usr/bin/env python3
"""Makes a table of every function of socket.h, each with arguments that are good in themselves.
SPDX-License-Identifier: MIT

usage: all_calls.py HEADER OUTPUT. A function whose parameters it does not know is an error: a new call
is in the table, or the table says what it lacks."""
import re
import sys

# By type and name, or by type alone.
ARGUMENTS = {
    "struct dry_socket *": "the_socket", "const struct dry_socket *": "the_socket",
    "struct dry_socket *[2]": "some_pair",
    "const void *": "bytes", "void *": "bytes", "uint8_t [16]": "(uint8_t *)bytes",
    "uint8_t [4]": "(uint8_t *)bytes", "char [IF_NAMESIZE]": "bytes", "char [DRY_INET_TEXT_BYTES]": "bytes",
    "char [DRY_ADDRESS_TEXT_BYTES]": "bytes", "char *": "bytes",
    "const struct iovec *": "&vector", "struct iovec *": "&vector",
    "const struct dry_ancillary *": "NULL", "struct dry_ancillary *": "items",
    "const struct dry_address *": "&address", "struct dry_address *": "&address",
    "struct dry_value *": "&value", "const struct dry_value *": "&text_value",
    "struct dry_value [DRY_ADDRESS_VALUES]": "values",
    "size_t *": "&size", "int *": "&number", "int64_t *": "&wide",
    "struct dry_addrinfo **": "&infos", "struct dry_addrinfo *": "NULL",
    "struct dry_mutex *": "NULL", "struct dry_condition *": "NULL", "struct epoll_event *": "&event",
    "uint32_t": "1", "struct pollfd *": "&descriptor", "struct dry_task *": "NULL",
    "void (*entry)(void *argument)": "do_nothing", "int (*check)(void *argument)": "NULL",
    "enum dry_error_kind": "DRY_ERROR_OS",
    "const char *": '"1"', "bool": "false", "uint16_t": "1", "int": "1", "int64_t": "1",
    "uint64_t": "1", "size_t": "1", "unsigned long": "1", "unsigned": "1", "void": None,
}
NAMED = {
    ("dry_makefile", "mode"): '"r"', ("dry_makefile", "encoding"): "NULL",
    ("dry_makefile", "errors"): "NULL", ("dry_makefile", "newline"): "NULL",
    ("dry_sendmsg", "ancillary_count"): "0", ("dry_discard_ancillary", "item_count"): "0",
    ("dry_recvmsg", "control_bytes"): "0", ("dry_recvmsg_into", "control_bytes"): "0",
    ("dry_inet_pton", "family"): "AF_INET", ("dry_inet_ntop", "family"): "AF_INET",
    ("dry_inet_ntop", "bytes"): "4", ("dry_inet_ntoa", "bytes"): "4",
    ("dry_address_inet", "host"): '"10.0.0.1"', ("dry_address_inet", "family"): "AF_INET",
    ("dry_address_parse", "text"): "\"('10.0.0.1', 1)\"", ("dry_address_parse", "length"): "15",
    ("dry_address_parse", "family"): "AF_INET", ("dry_address_from_value", "family"): "AF_INET",
    ("dry_getservbyname", "name"): '"http"', ("dry_getservbyname", "protocol"): '"tcp"',
    ("dry_getprotobyname", "name"): '"tcp"', ("dry_getservbyport", "protocol"): '"tcp"',
    ("dry_setsockopt", "value"): "bytes", ("dry_sendmsg_afalg", "iv"): "NULL",
    ("dry_sendmsg_afalg", "iv_bytes"): "0", ("dry_sendmsg_afalg", "assoclen"): "-1",
    ("dry_socket", "family"): "AF_INET", ("dry_socket", "type"): "SOCK_STREAM",
    ("dry_socket", "protocol"): "0", ("dry_socketpair", "family"): "AF_UNIX",
    ("dry_socketpair", "type"): "SOCK_STREAM", ("dry_socketpair", "protocol"): "0",
    ("dry_getsockname", "address"): "&address", ("dry_create_connection", "host"): '"10.0.0.1"',
    ("dry_create_connection", "source"): "NULL", ("dry_value_parse", "arena_bytes"): "sizeof bytes",
    ("dry_value_read", "arena_bytes"): "sizeof bytes", ("dry_value_print", "bytes"): "sizeof bytes",
    ("dry_value_print_double", "bytes"): "sizeof bytes", ("dry_bind", "address"): "&address",
    ("dry_getfqdn", "bytes"): "sizeof bytes", ("dry_gethostname", "bytes"): "sizeof bytes",
    ("dry_gethostbyname", "bytes"): "sizeof bytes", ("dry_gethostbyname", "name"): '"a.name"',
    ("dry_getfqdn", "name"): '"a.name"', ("dry_gethostbyname_ex", "name"): '"a.name"',
    ("dry_gethostbyaddr", "address"): '"10.0.0.1"', ("dry_getaddrinfo", "host"): '"a.name"',
    ("dry_gethostname", "buffer"): "bytes", ("dry_if_nametoindex", "name"): '"lo"',
    ("dry_getservbyport", "port"): "80", ("dry_getservbyport", "bytes"): "sizeof bytes",
    ("dry_getnameinfo", "host_bytes"): "sizeof bytes / 2", ("dry_getnameinfo", "service"): "NULL",
    ("dry_getnameinfo", "service_bytes"): "0", ("dry_fromshare", "bytes"): "1",
    ("dry_sethostname", "name"): '"h"', ("dry_socket_fileno", "family"): "-1",
}


def declarations(header):
    """(result, name, parameters) of each function."""
    code = re.sub(r"/\*.*?\*/", " ", header, flags=re.S)
    for result, name, inside in re.findall(
            r"DRY_PUBLIC\s+([\w\s*]+?[\s*])(dry_\w+)\(((?:[^()]|\([^()]*\))*)\)", code):
        yield " ".join(result.split()), name, [" ".join(p.split()) for p in split(inside)]


def split(inside):
    """The parameters, cut at commas outside parentheses."""
    depth, part = 0, ""
    for letter in inside:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            yield part
            part = ""
        else:
            part += letter
    yield part


def argument(function, parameter):
    """What the call gets for a parameter, None for none."""
    if parameter in ARGUMENTS:
        return ARGUMENTS[parameter]
    match = re.fullmatch(r"(.*?[\s*])(\w+)((?:\[\w*\])?)", parameter)
    if not match:
        sys.exit(f"{function}: what is '{parameter}'?")
    kind = match[1].strip() + (" " + match[3] if match[3] else "")
    kind = kind.replace("* [", "*[")
    if (function, match[2]) in NAMED:
        return NAMED[function, match[2]]
    if kind not in ARGUMENTS:
        sys.exit(f"{function}: no argument is known for '{parameter}' ({kind})")
    return ARGUMENTS[kind]


def main():
    """Writes the table."""
    header, output = sys.argv[1:]
    with open(header, encoding="utf-8") as file:
        found = list(declarations(file.read()))
    lines = ["/* Made by tests/real/all_calls.py. */"]
    rows = []
    for result, name, parameters in found:
        given = [argument(name, parameter) for parameter in parameters]
        takes_socket = any("struct dry_socket *" in p and "[2]" not in p for p in parameters)
        call = f"{name}({', '.join(a for a in given if a is not None)})"
        body = (f"{call};\n    return 0;" if result == "void"
                else f"return (int64_t)(intptr_t){call};" if result.endswith("*")
                else f"return (int64_t){call};")
        lines.append(f"static int64_t call_{name}(void)\n{{\n    {body}\n}}")
        kind = ("NOTHING" if result == "void" else "POINTER" if result.endswith("*")
                else "TRUTH" if result == "bool" else "NUMBER")
        rows.append(f'    {{"{name}", call_{name}, RESULT_{kind}, {int(takes_socket)}}},')
    lines.append("static const struct call all_calls[] = {\n" + "\n".join(rows) + "\n};")
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
