/* A name server whose answers are wrong in a chosen way, and who notes what it was asked.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_SIM_NAMES_HOSTILE_H
#define TESTS_SIM_NAMES_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a question is answered. Those from SILENT on cost whoever asks a wait. */
#define HOSTILE_KINDS(KIND)    \
    KIND(OK)                   \
    KIND(TWO)                  \
    KIND(NODATA)               \
    KIND(NXDOMAIN)             \
    KIND(SERVFAIL)             \
    KIND(REFUSED)              \
    KIND(NOTIMP)               \
    KIND(FORMERR)              \
    KIND(RCODE_11)             \
    KIND(LAME)                 \
    KIND(ECHO_QUESTION)        \
    KIND(NOT_A_RESPONSE)       \
    KIND(SHORT)                \
    KIND(HEAD_ONLY)            \
    KIND(EMPTY)                \
    KIND(NO_QUESTION)          \
    KIND(TWO_QUESTIONS)        \
    KIND(LOOPED_QUESTION)      \
    KIND(CUT)                  \
    KIND(CUT_HEAD)             \
    KIND(LONG_ADDRESS)         \
    KIND(SHORT_ADDRESS)        \
    KIND(LOOPED_OWNER)         \
    KIND(LONG_AND_GOOD)        \
    KIND(OTHER_CLASS)          \
    KIND(OTHER_TYPE)           \
    KIND(OTHER_OWNER)          \
    KIND(OWNER_IN_CAPITALS)    \
    KIND(MORE_ANNOUNCED)       \
    KIND(FEWER_ANNOUNCED)      \
    KIND(TRAILING)             \
    KIND(SECTIONS)             \
    KIND(SERVFAIL_ANSWER)      \
    KIND(NXDOMAIN_ANSWER)      \
    KIND(NXDOMAIN_ALIAS)       \
    KIND(ALIAS)                \
    KIND(ALIAS_TWICE)          \
    KIND(ALIAS_RING)           \
    KIND(ALIAS_ONLY)           \
    KIND(ALIAS_AFTER)          \
    KIND(ALIAS_LOOPED)         \
    KIND(ALIAS_ODD)            \
    KIND(ALIAS_OF_OTHER)       \
    KIND(ALIAS_CLASS)          \
    KIND(WRONG_ID_FIRST)       \
    KIND(OTHER_QUESTION_FIRST) \
    KIND(OTHER_PORT_FIRST)     \
    KIND(TWICE)                \
    KIND(TRUNCATED)            \
    KIND(TRUNCATED_FULL)       \
    KIND(TCP_SERVFAIL)         \
    KIND(TCP_CLOSES)           \
    KIND(TCP_SHORT)            \
    KIND(TCP_HALF)             \
    KIND(TCP_OTHER_ID)         \
    KIND(TCP_SIXTY)            \
    KIND(TCP_THOUSAND)         \
    KIND(TCP_NUMBER)           \
    KIND(TCP_PIECES)           \
    KIND(POINTER)              \
    KIND(POINTER_ODD)          \
    KIND(POINTER_ALIAS)        \
    KIND(POINTER_SECOND)       \
    KIND(POINTER_OTHER)        \
    KIND(SILENT)               \
    KIND(LATE)                 \
    KIND(ONLY_OTHER_QUESTION)  \
    KIND(ONLY_WRONG_ID)

enum hostile_kind {
#define NAME(kind) KIND_##kind,
    HOSTILE_KINDS(NAME)
#undef NAME
        KIND_COUNT,
};

const char *hostile_name(enum hostile_kind kind);

/* Serves 127.0.0.1 and the two addresses behind it, in threads of its own, for ever. A name begins with
 * a letter and a number, "o12"; the number chooses an entry of the table that `kind_of` stands for:
 * it is given the number, the letter, the name behind its first dot, the type and how often it was
 * asked that. */
void hostile_begin(enum hostile_kind (*kind_of)(int number, const char *rest, int type, int times));

/* What was asked in the name of one letter and number, with identifiers and ports by when each was
 * first seen; and forgets it. */
void hostile_transcript(char letter, int number, char *text, size_t bytes);

/* ---- between its own files --------------------------------------------------------------------- */

struct question {
    char letter;
    int number, type;
    const char *rest;
    char name[1025];
    size_t bytes; /* of the name, type and class on the wire */
};

struct answer {
    uint8_t bytes[65536];
    size_t length;
    const struct question *question;
};

void answer_begin(struct answer *answer, const struct question *question, const uint8_t *query,
                  uint8_t flags, uint8_t code);
/* An address of the type that was asked for; owner NULL: the name asked for. */
void answer_address(struct answer *answer, const char *owner, int last);
void answer_make(struct answer *answer, const struct question *question, const uint8_t *query,
                 enum hostile_kind kind);

#endif
