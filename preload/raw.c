/* System calls that are never trapped: the one place of the library where they are made.
 * SPDX-License-Identifier: MIT
 *
 * Syscall user dispatch lets calls from one range of addresses pass: these few instructions. */
#include "preload.h"

__asm__(".pushsection .text.preload_raw, \"ax\", @progbits\n"
        ".globl preload_raw_start, preload_raw_end, preload_raw, preload_restorer\n"
        ".hidden preload_raw_start, preload_raw_end, preload_raw, preload_restorer\n"
        ".balign 16\n"
        "preload_raw_start:\n"
        ".type preload_raw, @function\n"
        "preload_raw:\n"
        "    movq %rdi, %rax\n"
        "    movq %rsi, %rdi\n"
        "    movq %rdx, %rsi\n"
        "    movq %rcx, %rdx\n"
        "    movq %r8, %r10\n"
        "    movq %r9, %r8\n"
        "    movq 8(%rsp), %r9\n"
        "    syscall\n"
        "    ret\n"
        ".size preload_raw, . - preload_raw\n"
        ".balign 16\n"
        ".type preload_restorer, @function\n"
        "preload_restorer:\n"
        "    movl $15, %eax\n"
        "    syscall\n"
        "    ud2\n" /* the kernel looks at the address behind the call: it lies in the range too */
        ".size preload_restorer, . - preload_restorer\n"
        "preload_raw_end:\n"
        ".popsection\n");
