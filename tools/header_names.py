#!/usr/bin/env python3
# Lists what this system's headers offer a socket program: options, flags, ioctls, ancillary types, calls.
# SPDX-License-Identifier: MIT
#
# usage: tools/header_names.py [KIND…]     one name a line with its kind; all kinds without an argument
# Each of these names has its row in docs/fidelity.md, which `tools/tidy fidelity` asks for.
import re
import subprocess
import sys

# Kind: the headers, what its names look like, and what looks so but is a value, a mask or a size.
KINDS = {
    "SOL_SOCKET": (["sys/socket.h"], r"SO_\w+",
                   r"SO_(\w+_(OLD|NEW)|GET_FILTER|DETACH_BPF|ATTACH_\w*BPF|SECURITY_\w+|BSDCOMPAT)"),
    "IPPROTO_IP": (["linux/in.h"], r"(IP|MCAST)_\w+",
                   r"IP_(PMTUDISC|DEFAULT)_\w+|IP_MSFILTER_SIZE|IP_PROTOCOL|MCAST_(IN|EX)CLUDE"),
    "IPPROTO_IPV6": (["linux/in6.h"], r"IPV6_\w+",
                     r"IPV6_(PMTUDISC|PRIORITY|FL|TLV|FLOWINFO|PREFER_SRC)_\w+|IPV6_ROUTER_ALERT_ISOLATE"),
    "IPPROTO_TCP": (["linux/tcp.h"], r"TCP_\w+",
                    r"TCP_((CA|FLAG)_\w+|DATA_OFFSET|RESERVED_BITS|MD5SIG_(FLAG_\w+|MAXKEYLEN)|MSS_\w+|REPAIR_O\w+|RECEIVE_ZEROCOPY_\w+|AO_\w+|"
                    r"NO_QUEUE|RECV_QUEUE|SEND_QUEUE|QUEUES_NR)"),
    "IPPROTO_UDP": (["linux/udp.h"], r"UDP_\w+", r"UDP_ENCAP_\w+|UDP_V\w+"),
    "flag": (["sys/socket.h"], r"MSG_\w+", r"MSG_(TRYHARD|PROXY|FIN|SYN|RST|BATCH)"),
    "ancillary": (["sys/socket.h", "linux/errqueue.h"], r"SCM_\w+",
                  r"SCM_(TSTAMP_\w+|TIMESTAMPING_\w+|MAX_FD)"),
    "ioctl": (["linux/sockios.h", "asm/ioctls.h", "net/if.h"], r"(SIOC|FIO)\w+",
              r"SIOC(DEVPRIVATE|PROTOPRIVATE|INQ|OUTQ)|SIOC[GS](MII|HW|BRIDGE|BR|BOND|VLAN|RA|PPP)\w*|"
              r"SIOC(BOND|WAN|BRADD|BRDEL)\w*|SIOC\w+_OLD|FIOQSIZE|FIOCLEX|FIONCLEX"),
    "poll": (["poll.h"], r"POLL[A-Z]+", r"POLL(INIT|_\w+)"),
    "descriptor": (["sys/eventfd.h", "sys/timerfd.h", "fcntl.h"],
                   r"(EFD|TFD)_\w+|F_(DUPFD\w*|[GS]ET(FD|FL|OWN|SIG|OWN_EX|PIPE_SZ))|O_(ASYNC|NONBLOCK|CLOEXEC)",
                   r"$^"),
}
# Calls are prototypes, not macros: what these headers declare, and what a socket program makes beside it.
CALL_HEADERS = ["sys/socket.h", "sys/select.h", "sys/epoll.h", "sys/eventfd.h", "sys/timerfd.h",
                "sys/sendfile.h", "poll.h", "netdb.h", "ifaddrs.h", "net/if.h"]
MORE_CALLS = ["close", "dup", "dup2", "dup3", "fcntl", "fork", "ioctl", "pipe", "pipe2", "read", "readv",
              "signalfd", "splice", "tee", "vmsplice", "write", "writev", "gethostname", "sethostname"]
NO_CALLS = r".*(netgrent|netgrp|netent|netby\w+|_chk|alias|_a|_r|rcmd\w*|rexec\w*|ruserok\w*|rresvport\w*)|h(error|strerror)" \
           r"|(set|end|get)(host|serv|proto|net)ent|__\w+|gai_\w+|innetgr|iruserok\w*|\w+rpc(ent|by\w+)|sizeof|sendfile64"


def preprocessed(headers, *options):
    text = "".join(f"#include <{header}>\n" for header in headers)
    return subprocess.run(["cc", "-D_GNU_SOURCE", "-E", *options, "-"], input=text, text=True,
                          capture_output=True, check=True).stdout


def macros(kind):
    headers, form, but = KINDS[kind]
    names = set(re.findall(r"^#define (\w+)", preprocessed(headers, "-dM"), re.M))
    names |= set(re.findall(r"^\s+(\w+)\s*=", preprocessed(headers), re.M))  # enumerators
    return sorted(n for n in names if re.fullmatch(form, n) and not re.fullmatch(but, n))


def calls():
    found, header = set(), ""
    for line in preprocessed(CALL_HEADERS).splitlines():
        place = re.match(r'# \d+ "(.*?)"', line)
        if place:
            header = place[1]
        elif any(header.endswith("/" + wanted) for wanted in CALL_HEADERS):
            found |= set(re.findall(r"\b([a-z]\w+) \(", line.split("__attribute__")[0])[:1])
    return sorted(n for n in found | set(MORE_CALLS) if not re.fullmatch(NO_CALLS, n))


def names(kinds=()):
    """Pairs of kind and name."""
    for kind in kinds or [*KINDS, "call"]:
        for name in calls() if kind == "call" else macros(kind):
            yield kind, name


if __name__ == "__main__":
    for kind, name in names(sys.argv[1:]):
        print(f"{kind} {name}")
